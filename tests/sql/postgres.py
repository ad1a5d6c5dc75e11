"""A PostgreSQL server of a test's own, from Debian's package: on a socket in a folder of its own, stopped by its process."""
import glob
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile


def programs():
    """The folder of the newest server that is installed, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    return pathlib.Path(found[-1]) if found else None


class Server:
    def __init__(self, options="-c fsync=off"):
        self.options = options

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leadscore-pg-"))
        # A server refuses to run as root.
        self.as_user = []
        if os.geteuid() == 0:
            self.as_user = ["runuser", "-u", "postgres", "--"]
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.run("initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' {self.options}"
        self.run("pg_ctl", "-D", self.folder / "data", "-o", options, "-l", self.folder / "log", "-w", "start")
        return self

    def __exit__(self, *_):
        try:
            self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")
        finally:
            shutil.rmtree(self.folder)

    def run(self, program, *args, stdin=None):
        # Into files: a server that is started keeps what it was given open.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as said:
            command = [*self.as_user, str(programs() / program), *map(str, args)]
            done = subprocess.run(command, cwd="/", input=stdin or "", stdout=out, stderr=said, text=True, timeout=120)
            for file in (out, said):
                file.seek(0)
            done.stdout, done.stderr = out.read(), said.read()
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}{done.stdout}")
        return done.stdout

    def sql(self, text):
        """Runs statements; rows as CSV text."""
        return self.run("psql", "-h", self.folder, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "--csv", "-t", "-f", "-", stdin=text)


def main():
    """Runs a command beside a server, whose address is in LEADSCORE_POSTGRES: the event store in it is durable."""
    if not programs():
        if "CI" in os.environ:
            sys.exit("no PostgreSQL is installed")
        print("skipped: no PostgreSQL is installed, so the event store is not tested in it", file=sys.stderr)
        return
    with Server("-c max_connections=200") as server:
        os.environ["LEADSCORE_POSTGRES"] = f"postgresql:///postgres?host={server.folder}&user=postgres"
        done = subprocess.run(sys.argv[1:])
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
