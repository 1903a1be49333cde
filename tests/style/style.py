"""What the tree must look like, beyond what the compiler and clang-format hold.

    python3 tests/style/style.py ROOT

Prints `file:line: what is wrong; what would be right` for every finding, and exits 1 if there are
any. The module map is read from CMakeLists.txt, so the rules follow it by themselves.
"""

import re
import sys
from pathlib import Path

MAX_LINES = 600
MAX_COLUMNS = 100
CODE_FOLDERS = ("include", "src", "simulators", "tests", "bench", "examples")

# Pure and deterministic: no threads, no clock, no I/O, no third-party I/O headers.
DOMAIN_MODULES = {"model", "graph", "runtime", "observation", "reasoning", "decision", "safety",
                  "action", "learning", "support_agent", "payments_agent"}
NOT_IN_DOMAIN = {
    r"\bstd::(mt19937|random_device|default_random_engine|\w+_distribution)\b|#include <random>":
        "randomness comes from payops::Random",
    r"\b(system_clock|steady_clock|high_resolution_clock)\b|\b(gettimeofday|clock_gettime)\b":
        "time comes from the Clock handed in",
    r"#include <(thread|mutex|condition_variable|future|atomic|shared_mutex)>":
        "domain modules have no threads",
    r"#include <(iostream|fstream|cstdio|filesystem|unistd\.h|sys/[\w/.]+)>":
        "domain modules do no I/O",
    r"#include <(librdkafka|rocksdb|spdlog|zstd)": "adapters do the I/O",
    r"\b(std::)?getenv\(": "domain modules do not look at the environment",
}
HEAVY_HEADERS = re.compile(
    r"#include <(nlohmann/json\.hpp|yaml-cpp|spdlog|rocksdb|librdkafka|simdjson|CLI/)")
# Public headers whose purpose is a heavy header; only .cc files include them, as they say.
HEAVY_BY_PURPOSE = {"include/payops/core/json_fields.h", "include/payops/core/yaml_fields.h"}
ANYWHERE = {
    r"\b(class|struct|enum class|namespace)\s+\w*(Manager|Helper|Utils?)\b":
        "name it for what it does in the field's terms",
    r"-f(fast|unsafe)-math|-march=native": "results must not depend on the machine",
}
NOT_IN_TESTS = {
    r"\b(sleep_for|sleep_until|usleep)\s*\(|\bsleep\(\d":
        "wait for a condition with a deadline (tests/support/)",
}
BAD_FILE_NAME = re.compile(r"(^|_)(manager|helpers?|utils?|misc)(_|\.|$)")
INCLUDE = re.compile(r'#include "payops/(\w+)/')
MODULE = re.compile(r"payops_module\((\w+)([^)]*)\)")
SETTINGS = {"SOURCES", "DEPENDS", "LINK"}


class Tree:
    def __init__(self, root):
        self.root = Path(root)
        self.findings = []
        self.depends, self.folders = self.read_modules()

    def found(self, path, line, message):
        self.findings.append(f"{path.relative_to(self.root)}:{line}: {message}")

    def read_modules(self):
        """Each module's direct dependencies and source folder, as CMakeLists.txt declares them."""
        depends, folders = {}, {}
        text = (self.root / "CMakeLists.txt").read_text()
        for name, rest in MODULE.findall(text):
            setting, values = None, {}
            for word in rest.split():
                if word in SETTINGS:
                    setting = word
                else:
                    values.setdefault(setting, []).append(word)
            depends[name] = values.get("DEPENDS", [])
            folders[name] = values.get("SOURCES", [f"src/{name}"])[0]
            for dep in depends[name]:
                if dep not in depends:
                    self.found(self.root / "CMakeLists.txt", 1,
                               f"{name} depends on {dep}, which is not above it")
        return depends, folders

    def reachable(self, module):
        seen, todo = set(), [module]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.depends.get(name, [])
        return seen

    def module_of(self, path):
        """The module a file belongs to, or None (tests, benchmarks, examples)."""
        parts = path.relative_to(self.root).parts
        if parts[:2] == ("include", "payops") and len(parts) > 3:
            return parts[2]
        for name, folder in self.folders.items():
            if path.is_relative_to(self.root / folder):
                return name
        return None

    def code_files(self):
        for folder in CODE_FOLDERS:
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in (".h", ".cc", ".py") and path.is_file():
                    yield path

    def check_file(self, path):
        lines = path.read_text(errors="replace").splitlines()
        if len(lines) > MAX_LINES:
            self.found(path, len(lines), f"{len(lines)} lines; at most {MAX_LINES}, split it")
        if BAD_FILE_NAME.search(path.name):
            self.found(path, 1, "name the file for what is in it")
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                self.found(path, number, f"{len(line)} columns; at most {MAX_COLUMNS}")
        if path.suffix in (".h", ".cc"):
            self.check_code(path, lines)

    def check_code(self, path, lines):
        name = str(path.relative_to(self.root))
        module = self.module_of(path)
        rules = dict(ANYWHERE)
        if module in DOMAIN_MODULES:
            rules.update(NOT_IN_DOMAIN)
        if name.startswith("tests/") and not name.startswith("tests/support/"):
            rules.update(NOT_IN_TESTS)
        if path.suffix == ".h":
            self.check_header(path, lines, name)
        allowed = self.reachable(module) if module else None
        for number, line in enumerate(lines, 1):
            code = line.split("//")[0]
            for pattern, right in rules.items():
                if match := re.search(pattern, code):
                    self.found(path, number, f"{match.group(0).strip()}: {right}")
            include = INCLUDE.search(code)
            if include and allowed is not None and include.group(1) not in allowed:
                self.found(path, number, f"module {module} may not include "
                                         f"{include.group(1)}; CMakeLists.txt has the map")

    def check_header(self, path, lines, name):
        if "#pragma once" not in lines:
            self.found(path, 1, "no #pragma once")
        if not lines or not lines[0].startswith("//"):
            self.found(path, 1, "a header begins with what it is for")
        public = name.startswith("include/") and name not in HEAVY_BY_PURPOSE
        for number, line in enumerate(lines, 1):
            if public and HEAVY_HEADERS.search(line):
                self.found(path, number, "a public header has no heavy third-party header")

    def check_modules(self):
        for name, folder in self.folders.items():
            sources = list((self.root / folder).rglob("*.cc"))
            headers = list((self.root / "include/payops" / name).glob("*.h"))
            if (sources or headers) and not (self.root / folder / "README.md").is_file():
                self.found(self.root / folder / "README.md", 1,
                           f"module {name} has no README.md: what it owns, what it never does")
        for folder in sorted((self.root / "include/payops").glob("*/")):
            if folder.name not in self.folders and any(folder.iterdir()):
                self.found(folder, 1, "not a module of CMakeLists.txt")

    def check_links(self):
        """Relative links in Markdown lead to files that are there; fences are closed."""
        pages = [p for p in self.root.rglob("*.md")
                 if not {"build", "node_modules", ".git"} & set(p.relative_to(self.root).parts)]
        for page in sorted(pages):
            fenced = False
            for number, line in enumerate(page.read_text().splitlines(), 1):
                if line.lstrip().startswith("```"):
                    fenced = not fenced
                if fenced:
                    continue
                for target in re.findall(r"\]\(([^)#\s]+)", line):
                    if "://" not in target and not target.startswith("mailto:"):
                        if not (page.parent / target).exists():
                            self.found(page, number, f"link to {target}, which is not there")
            if fenced:
                self.found(page, number, "a ``` is not closed")

    def check(self):
        for path in self.code_files():
            self.check_file(path)
        self.check_modules()
        self.check_links()
        return self.findings


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    findings = Tree(sys.argv[1]).check()
    print("\n".join(findings) if findings else "style: nothing found")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
