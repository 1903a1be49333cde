#include "payops/memory/log_index.h"

#include "folder.h"
#include "payops/memory/audit_reader.h"

namespace payops::memory {
namespace {

std::vector<std::string> all_lines(const std::string& directory) {
  std::vector<std::string> lines;
  auto reader = AuditReader::open(directory);
  REQUIRE(reader);
  LogLine line;
  while (*reader->next(line)) lines.push_back(line.text);
  return lines;
}

TEST_CASE("a log that grows is followed, each line once, over the borders of files") {
  const Folder root;
  LogIndex index(root / "audit");
  uint64_t visited = 0;
  const auto follow = [&] {
    const Status read = index.refresh([&](const AuditLine& line) { CHECK(line.seq == ++visited); });
    REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().message));
  };
  follow();
  CHECK(index.steps() == 0);  // not begun yet
  for (const uint64_t until : {3, 9, 9, 14}) {
    REQUIRE(run_agent(root.path(), {.until = until, .file_bytes_max = 3000}));
    follow();
    CHECK(index.steps() == until);
    CHECK(index.last_seq() == visited);
  }
  const auto lines = all_lines(root / "audit");
  REQUIRE(lines.size() == visited);
  for (uint64_t seq = 1; seq <= visited; ++seq) CHECK(*index.line(seq) == lines[seq - 1]);
  CHECK(index.line(0).error().code == ErrorCode::not_found);
  CHECK(index.line(visited + 1).error().code == ErrorCode::not_found);
}

TEST_CASE("a step is given back with its input and digest") {
  const Folder root;
  REQUIRE(run_agent(root.path(), {}));
  LogIndex index(root / "audit");
  REQUIRE(index.refresh([](const AuditLine&) {}));
  CountingAgent agent;
  for (std::size_t i = 0; i < index.steps(); ++i) {
    const auto step = index.step(i);
    REQUIRE(step);
    CHECK(step->step == i + 1);
    CHECK(step->ts_ms == index.ts_ms(i));
    const auto output = agent.apply(step->block);
    REQUIRE(output);
    CHECK(output->digest == step->digest);
  }
}

TEST_CASE("an altered line is named, what lies before it stands") {
  const Folder root;
  REQUIRE(run_agent(root.path(), {}));
  const auto lines = all_lines(root / "audit");
  std::string name;
  for (const auto& [file, bytes] : log_files(root / "audit")) {
    if (file.rfind("audit-", 0) != 0) continue;
    name = root / ("audit/" + file);
    std::string altered = bytes;
    altered[bytes.find(lines[4]) + 30] ^= 1;
    put_bytes(name, altered);
    break;
  }
  LogIndex index(root / "audit");
  uint64_t visited = 0;
  const Status read = index.refresh([&](const AuditLine&) { ++visited; });
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::corrupt);
  CHECK(read.error().message.find("audit-") == 0);
  CHECK(visited == 4);
}

}  // namespace
}  // namespace payops::memory
