import pathlib
import unittest

from read_model import read_model, read_text

MODELS = [pathlib.Path(__file__).parent.parent / "fixtures" / f"model-v{version}.leadscore" for version in (1, 2)]


class ReadModel(unittest.TestCase):
    def test_header_and_payload(self):
        for model in MODELS:
            header, payload = read_model(model.read_bytes())
            self.assertEqual(header["payload_schema"], "leadscore-model")
            # The payload begins with the card, and the card with the model's id.
            model_id, _ = read_text(payload, 0)
            self.assertEqual(model_id, header["card"]["model_id"])

    def test_a_flipped_bit_is_refused(self):
        data = bytearray(MODELS[-1].read_bytes())
        data[len(data) // 2] ^= 1
        with self.assertRaises(ValueError):
            read_model(bytes(data))


if __name__ == "__main__":
    unittest.main()
