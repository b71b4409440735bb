"""What kvmbench writes is as docs/report.schema.json says, and the schema refuses what is not.

usage: schema_test.py SCHEMA PRINT_SAMPLE
"""

import copy
import csv
import io
import json
import subprocess
import sys
import unittest

import jsonschema

schema_file, print_sample = sys.argv[1:3]

SECTIONS = {"runs", "devices", "operations", "kernel", "hardware", "sites"}  # which a report may lack


def sample(form):
    return subprocess.run([print_sample, form], check=True, capture_output=True, text=True).stdout


class SchemaTest(unittest.TestCase):
    def setUp(self):
        with open(schema_file, encoding="utf-8") as file:
            self.schema = json.load(file)
        self.validator = jsonschema.Draft202012Validator(self.schema)
        self.report = json.loads(sample("json"))

    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_a_report_is_valid(self):
        self.validator.validate(self.report)

    def test_an_interval_is_valid(self):
        schema = {"$ref": "#/$defs/interval", "$defs": self.schema["$defs"]}
        validator = jsonschema.Draft202012Validator(schema)
        interval = json.loads(sample("interval"))
        validator.validate(interval)
        interval["keys"][0]["count"] = -1
        self.assertFalse(validator.is_valid(interval))

    def refuse(self, change):
        changed = copy.deepcopy(self.report)
        change(changed)
        self.assertFalse(self.validator.is_valid(changed))

    def test_a_report_without_what_came_after_version_1_is_valid(self):
        for member in SECTIONS:
            self.report.pop(member)
        self.validator.validate(self.report)
        self.report["version"] = 1
        self.validator.validate(self.report)

    def test_another_version_is_invalid(self):
        self.refuse(lambda report: report.update(version=3))

    def test_every_member_is_needed_and_no_other_taken(self):
        places = [
            lambda report: report,
            lambda report: report["totals"],
            lambda report: report["totals"]["run"],
            lambda report: report["by_reason"][0],
            lambda report: report["phases"][0],
            lambda report: report["buckets"],
            lambda report: report["host"][0],
            lambda report: report["vcpus"][0],
            lambda report: report["vcpus"][0]["keys"][0],
            lambda report: report["vcpus"][0]["keys"][0]["service"],
            lambda report: report["operations"][0],
            lambda report: report["operations"][0]["counts"][0],
            lambda report: report["sites"][0],
        ]
        for place in places:
            self.refuse(lambda report: place(report).update(extra=1))
            for member in set(place(self.report)) - SECTIONS:
                with self.subTest(member=member):
                    self.refuse(lambda report: place(report).pop(member))

    def test_numbers_out_of_range_are_invalid(self):
        self.refuse(lambda report: report["vcpus"][0]["keys"][0].update(count=-1))
        self.refuse(lambda report: report["vcpus"][0]["keys"][0].update(count=2**64))
        self.refuse(lambda report: report["vcpus"][0]["keys"][0].update(phase=1.5))
        self.refuse(lambda report: report["vcpus"][0]["keys"][0]["run"].update(histogram=[[593, 1]]))

    def test_a_kernel_that_keeps_no_count_is_null(self):
        self.report["vcpus"][1]["kernel_exits"] = None
        self.report["kernel_exits"] = None
        self.validator.validate(self.report)
        self.refuse(lambda report: report["vcpus"][0].update(kernel_exits=-1))
        self.refuse(lambda report: report.update(kernel_exits="12"))

    def test_the_csv_holds_the_same_counts(self):
        by_key, by_operation, *_ = sample("csv").split("\n\n")
        rows = list(csv.DictReader(io.StringIO(by_key)))
        operations = list(csv.DictReader(io.StringIO(by_operation)))
        keys = [key for vcpu in self.report["vcpus"] for key in vcpu["keys"]]
        self.assertEqual([int(row["count"]) for row in rows], [key["count"] for key in keys])
        self.assertEqual([int(row["service_sum_cycles"]) for row in rows], [key["service"]["sum"] for key in keys])
        self.assertEqual([row["device"] for row in rows], [key["device"] for key in keys])
        self.assertNotIn(None, [value for row in rows + operations for value in [*row.keys(), *row.values()]])
        self.assertEqual(
            [(row["device"], row["operation"], int(row["count"]), int(row["exits"])) for row in operations],
            [
                (device["device"], operation["name"], operation["count"], device["exits"])
                for device in self.report["operations"]
                for operation in device["counts"]
            ],
        )


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
