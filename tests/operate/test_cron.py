"""The line of the crontab and the units of systemd: who gets mail, and what is tried again."""
import configparser
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from worlds import CODES, LEADSCORE, RECIPES, world


class Cron(unittest.TestCase):
    def mail(self, place):
        """What cron would mail: all that the command of the line prints, in the environment that cron gives it."""
        lines = (RECIPES / "crontab").read_text().splitlines()
        (line,) = [line for line in lines if re.match(r"[\d*]", line)]
        *times, command = line.split(" ", 5)
        self.assertEqual(len(times), 5)
        # Cron ends a command at a percent sign.
        self.assertNotIn("%", command)
        command = command.replace("/srv/leadscore", str(place))
        path = f"{place.parent}/bin:/usr/bin:/bin"
        ended = subprocess.run(["/bin/sh", "-c", command], cwd="/", env={"HOME": "/", "PATH": path}, capture_output=True, text=True)
        return ended.stdout + ended.stderr

    def test_only_a_run_that_is_not_done_is_mailed(self):
        for state, code in CODES.items():
            with self.subTest(state), world(state) as place:
                mail = self.mail(place)
                self.assertEqual(bool(mail), code != 0, mail)
                self.assertIn('"decision"', (place / "last-run.json").read_text())

    def test_mail_says_why(self):
        with world("failed") as place:
            self.assertRegex(self.mail(place), r"(?s)leads\.csv.*hint: ")
        with world("busy") as place:
            self.assertIn("lock", self.mail(place))

    def test_a_folder_that_is_gone_is_mailed(self):
        self.assertIn("gone", self.mail(pathlib.Path("/gone")))


class Systemd(unittest.TestCase):
    UNITS = ("leadscore.service", "leadscore.timer", "leadscore-failed@.service")

    def test_units_are_valid(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")
        with tempfile.TemporaryDirectory() as folder:
            for name in self.UNITS:
                # Verification looks for the program, too.
                text = (RECIPES / name).read_text().replace("/usr/local/bin/leadscore", LEADSCORE)
                (pathlib.Path(folder) / name).write_text(text)
            units = [f"{folder}/{name}" for name in self.UNITS]
            verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units]
            ended = subprocess.run(verify, capture_output=True, text=True, env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
            self.assertEqual((ended.returncode, ended.stdout + ended.stderr), (0, ""))

    def test_each_code_has_its_answer(self):
        service = configparser.ConfigParser(strict=False, interpolation=None)
        service.optionxform = str
        service.read(RECIPES / "leadscore.service")
        not_again = {int(code) for code in service["Service"]["RestartPreventExitStatus"].split()}
        done = {0, *map(int, service["Service"]["SuccessExitStatus"].split())}
        again = {code for code in CODES.values() if code not in not_again | done}
        self.assertEqual((not_again, again), ({1, 2}, {75}))
        # The unit that mails is there.
        self.assertEqual(service["Unit"]["OnFailure"], "leadscore-failed@%n.service")


if __name__ == "__main__":
    unittest.main()
