"""Every rule of style.py finds its breach in an otherwise clean tree."""

import tempfile
import unittest
from pathlib import Path

import style

CMAKE = """
payops_module(core LINK sodium)
payops_module(graph DEPENDS core)
payops_module(safety DEPENDS core)
payops_module(app SOURCES programs/app
  DEPENDS graph safety)
"""
HEADER = "// What it is for.\n#pragma once\n"


class StyleTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("CMakeLists.txt", CMAKE)
        self.write("src/safety/README.md", "Owns the gate.\n")
        self.write("src/safety/gate.cc", '#include "payops/core/result.h"\n')
        self.write("include/payops/safety/gate.h", HEADER)

    def write(self, name, text):
        path = Path(self.folder.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def findings(self):
        return style.Tree(self.folder.name).check()

    def assert_only(self, start, part):
        findings = self.findings()
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(start), findings)
        self.assertIn(part, findings[0])

    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual(self.findings(), [])

    def test_a_module_includes_only_what_the_map_lets_it(self):
        self.write("src/safety/gate.cc", '\n#include "payops/graph/graph.h"\n')
        self.assert_only("src/safety/gate.cc:2:", "safety may not include graph")

    def test_what_a_dependency_depends_on_may_be_included(self):
        self.write("programs/app/README.md", "Owns the program.\n")
        self.write("programs/app/main.cc",
                   '#include "payops/core/a.h"\n#include "payops/graph/b.h"\n')
        self.assertEqual(self.findings(), [])

    def test_the_map_points_one_way(self):
        self.write("CMakeLists.txt", CMAKE.replace("safety DEPENDS core", "safety DEPENDS app"))
        findings = self.findings()
        self.assertTrue(any("safety depends on app" in f for f in findings), findings)

    def test_domain_code_has_no_clock_threads_io_or_random_of_its_own(self):
        for line in ("auto now = std::chrono::system_clock::now();", "std::mt19937 generator;",
                     "#include <thread>", "#include <fstream>", "#include <rocksdb/db.h>",
                     'auto home = std::getenv("HOME");'):
            with self.subTest(line):
                self.write("src/safety/gate.cc", line + "\n")
                self.assertEqual(len(self.findings()), 1)

    def test_the_same_words_in_a_comment_are_no_breach(self):
        self.write("src/safety/gate.cc", "// unlike std::mt19937, whose streams differ\n")
        self.assertEqual(self.findings(), [])

    def test_an_adapter_may_do_what_a_domain_module_may_not(self):
        self.write("programs/app/README.md", "Owns the program.\n")
        self.write("programs/app/main.cc", "#include <thread>\n")
        self.assertEqual(self.findings(), [])

    def test_headers_have_a_purpose_a_guard_and_no_weight(self):
        self.write("include/payops/safety/gate.h", "#pragma once\n")
        self.assert_only("include/payops/safety/gate.h:1:", "what it is for")
        self.write("include/payops/safety/gate.h", "// What it is for.\n")
        self.assert_only("include/payops/safety/gate.h:1:", "#pragma once")
        self.write("include/payops/safety/gate.h", HEADER + "#include <yaml-cpp/yaml.h>\n")
        self.assert_only("include/payops/safety/gate.h:3:", "heavy")

    def test_lines_and_files_have_a_limit(self):
        self.write("src/safety/gate.cc", "// " + "x" * 97 + "\n")
        self.assertEqual(self.findings(), [])
        self.write("src/safety/gate.cc", "// " + "x" * 98 + "\n")
        self.assert_only("src/safety/gate.cc:1:", "101 columns")
        self.write("src/safety/gate.cc", "\n" * 600)
        self.assertEqual(self.findings(), [])
        self.write("src/safety/gate.cc", "\n" * 601)
        self.assert_only("src/safety/gate.cc:601:", "601 lines")

    def test_columns_are_characters_not_bytes(self):
        self.write("src/safety/gate.cc", "// " + "×" * 97 + "\n")
        self.assertEqual(self.findings(), [])

    def test_every_module_says_what_it_owns(self):
        self.write("include/payops/graph/graph.h", HEADER)
        self.assert_only("src/graph/README.md:1:", "has no README.md")

    def test_names_say_what_a_thing_does(self):
        self.write("src/safety/gate.cc", "class LimitManager {};\n")
        self.assert_only("src/safety/gate.cc:1:", "LimitManager")
        self.write("src/safety/gate.cc", "\n")
        self.write("src/safety/gate_utils.cc", "\n")
        self.assert_only("src/safety/gate_utils.cc:1:", "name the file")

    def test_tests_do_not_sleep(self):
        line = "std::this_thread::sleep_for(second);\n"
        self.write("tests/safety/gate_test.cc", line)
        self.assert_only("tests/safety/gate_test.cc:1:", "deadline")
        self.write("tests/safety/gate_test.cc", "\n")
        self.write("tests/support/wait.cc", line)
        self.assertEqual(self.findings(), [])

    def test_links_lead_somewhere_and_fences_close(self):
        self.write("README.md", "[the gate](src/safety/README.md), [nothing](docs/none.md)\n")
        self.assert_only("README.md:1:", "docs/none.md")
        self.write("README.md", "```mermaid\nflowchart LR\n")
        self.assert_only("README.md:2:", "not closed")


if __name__ == "__main__":
    unittest.main()
