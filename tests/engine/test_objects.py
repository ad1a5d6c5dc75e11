"""Tables in an object store: the same bytes come out as from files, and what a user sees where they do not come."""
import os
import pathlib
import subprocess
import tempfile
import unittest
import urllib.request

from servers import Program

LEADSCORE = os.environ["LEADSCORE"]


class Objects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.server = Program("moto_server", "-H", "127.0.0.1", "-p", "PORT", log=cls.folder / "store.log")
        cls.url = f"http://127.0.0.1:{cls.server.port}"
        cls.run_line("simulate", "--leads", "3000", "--format", "csv", "--out", "crm")
        cls.put("bucket")
        config = (cls.folder / "crm" / "leadscore.toml").read_text()
        for file in (cls.folder / "crm").glob("*.csv"):
            cls.put(f"bucket/some/crm/{file.name}", file.read_bytes())
            config = config.replace(f'"{file.name}"', f'"s3://bucket/some/crm/{file.name}"')
        # One table by a pattern.
        config = config.replace("crm/touches.csv", "crm/touch*.csv")
        (cls.folder / "remote.toml").write_text(config)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.temporary.cleanup()

    @classmethod
    def put(cls, path, data=b""):
        urllib.request.urlopen(urllib.request.Request(f"{cls.url}/{path}", data=data, method="PUT", headers={"Content-Type": "application/octet-stream", "Authorization": "AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"})).close()

    @classmethod
    def run_line(cls, *args, status=0, **environment):
        done = subprocess.run([LEADSCORE, *args], cwd=cls.folder, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)
        assert done.returncode == status, f"{done.returncode}: {done.stderr}"
        return done.stderr

    def credentials(self):
        return {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hush-hush", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url, "AWS_ALLOW_HTTP": "true"}

    def test_the_same_matrix(self):
        self.run_line("features", "-c", "crm/leadscore.toml", "-o", "files.parquet")
        self.run_line("features", "-c", "remote.toml", "-o", "objects.parquet", **self.credentials())
        self.assertEqual((self.folder / "files.parquet").read_bytes(), (self.folder / "objects.parquet").read_bytes())

    def test_what_does_not_come(self):
        config = (self.folder / "remote.toml").read_text()

        def said(old, new):
            (self.folder / "wrong.toml").write_text(config.replace(old, new))
            text = self.run_line("features", "-c", "wrong.toml", "-o", "no.parquet", status=2, **self.credentials())
            self.assertNotIn("hush", text)
            self.assertFalse((self.folder / "no.parquet").exists())
            return text

        self.assertIn("[leads]: s3://bucket/some/crm/lead.csv: there is no such object", said("crm/leads.csv", "crm/lead.csv"))
        self.assertIn("[activities.touches]: s3://bucket/some/crm/t*.parquet: no object has such a name", said("crm/touch*.csv", "crm/t*.parquet"))
        self.assertIn("this names no object", said("s3://bucket/some/crm/leads.csv", "s3://bucket"))


if __name__ == "__main__":
    unittest.main()
