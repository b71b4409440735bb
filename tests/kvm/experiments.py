"""What the tests of experiments share: a run of kvmbench bench whose result is sound, and its tables."""

import json

import jsonschema

import machine
import program

SCHEMA = json.loads((program.ROOT / "docs" / "experiment.schema.json").read_text())


class Case(machine.Case):
    def bench(self, name, *arguments, budget="1s"):
        """The experiment's result, which is sound and as the schema has it."""
        path = self.path / "bench.json"
        done = self.run_program("bench", name, "--budget", budget, "--save", path, *arguments)
        self.assertTrue(path.exists(), done)
        document = json.loads(path.read_text())
        (result,) = document["experiments"]
        self.expect_sound(document)
        self.expect(done, 0)
        self.assertIn(result["answer"].split()[0], done.out.decode())
        return result

    def expect_sound(self, document):
        """What bench has saved is as the schema has it, and no experiment in it found a count wrong."""
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
        for result in document["experiments"]:
            self.assertEqual(result["failures"], [], result["name"])
            wrong = [count for count in result["exact_counts"] if count["expected"] != count["counted"]]
            self.assertEqual(wrong, [], result["name"])
            self.assertTrue(result["sound"], result["name"])
            clocks = [row["arm"] for row in self.table(result, "clocks")]
            self.assertEqual(clocks, list(dict.fromkeys(sample["arm"] for sample in result["samples"])))

    @staticmethod
    def table(result, name):
        """All rows of a table."""
        (found,) = [one for one in result["tables"] if one["id"] == name]
        return found["rows"]

    def rows(self, result, table, key):
        """The rows of a table by what they have in a column."""
        return {row[key]: row for row in self.table(result, table)}
