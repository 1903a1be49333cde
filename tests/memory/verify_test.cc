#include <doctest/doctest.h>

#include <cstdlib>

#include "memory/folder.h"
#include "payops/memory/audit_reader.h"
#include "payops/memory/audit_verify.h"
#include "support/paths.h"

namespace payops::memory {
namespace {

// A signed log of several files.
struct Log {
  Folder folder;
  std::string directory = folder / "audit";
  std::map<std::string, std::string> files;
  std::vector<std::string> audit_names;
  explicit Log(RunOptions options = {.until = 14, .file_bytes_max = 6000}) {
    REQUIRE(run_agent(folder.path(), options));
    files = log_files(directory);
    for (const auto& [name, bytes] : files) {
      if (name.starts_with("audit-")) audit_names.push_back(name);
    }
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory + "/" + name; }
  void restore(const std::string& name) const { put_bytes(path(name), files.at(name)); }
};

VerifyReport verify(const Log& log, const VerifyOptions& options = {}) {
  const auto report = audit_verify(log.directory, options);
  REQUIRE(report);
  return *report;
}

TEST_CASE("an untouched log is right, and the report counts it") {
  const Log log;
  const VerifyReport report = verify(log);
  CHECK_MESSAGE(report.ok, report.reason);
  CHECK(report.files == log.audit_names.size());
  CHECK(report.files > 2);
  CHECK(report.steps == 14);
  CHECK(report.signature_checked);
  std::size_t lines = 0;
  for (const std::string& name : log.audit_names) {
    const std::string& bytes = log.files.at(name);
    lines += static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  }
  CHECK(report.lines == lines);
  CHECK(report.last_seq == lines);
}

TEST_CASE("a changed byte is found wherever it is, and its line named") {
  const Log log;
  for (const auto& [name, bytes] : log.files) {
    const bool is_audit = name.starts_with("audit-");
    for (std::size_t at = 0; at < bytes.size(); at += is_audit                 ? 7
                                                      : name.ends_with(".zst") ? 3
                                                                               : 1) {
      std::string altered = bytes;
      altered[at] = static_cast<char>(altered[at] ^ (1 << (at % 8)));
      put_bytes(log.path(name), altered);
      const VerifyReport report = verify(log);
      CHECK_MESSAGE(!report.ok, (name + " byte " + std::to_string(at)));
      if (is_audit) {
        const auto line =
            1 + std::count(bytes.begin(), bytes.begin() + static_cast<long>(at), '\n');
        CHECK(report.bad_file == name);
        CHECK(report.bad_line == static_cast<uint64_t>(line));
      }
    }
    log.restore(name);
  }
  CHECK(verify(log).ok);
}

TEST_CASE("every cut of the tail is found, within lines and between them") {
  const Log log;
  for (std::size_t last = log.audit_names.size(); last-- > 0;) {
    const std::string& name = log.audit_names[last];
    const std::string& bytes = log.files.at(name);
    for (std::size_t keep = 0; keep < bytes.size(); ++keep) {
      const bool boundary = keep == 0 || bytes[keep - 1] == '\n';
      if (!boundary && keep % 97 != 0) continue;
      put_bytes(log.path(name), bytes.substr(0, keep));
      CHECK_MESSAGE(!verify(log).ok, (name + " cut to " + std::to_string(keep)));
    }
    fs::remove(log.path(name));
    if (last > 0) CHECK_MESSAGE(!verify(log).ok, (name + " and all after it removed"));
  }
}

TEST_CASE("a line or a file removed, repeated or moved is found") {
  const Log log;
  const std::string& name = log.audit_names[1];
  const std::string& bytes = log.files.at(name);
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < bytes.size();) {
    const std::size_t end = bytes.find('\n', from) + 1;
    lines.push_back(bytes.substr(from, end - from));
    from = end;
  }
  const auto with = [&](std::vector<std::string> altered) {
    put_bytes(log.path(name), join(altered, ""));
    const VerifyReport report = verify(log);
    log.restore(name);
    return report;
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::string> altered = lines;
    altered.erase(altered.begin() + static_cast<long>(i));
    CHECK_FALSE(with(altered).ok);
    altered = lines;
    altered.insert(altered.begin() + static_cast<long>(i), lines[i]);
    CHECK_FALSE(with(altered).ok);
    altered = lines;
    altered.insert(altered.begin() + static_cast<long>(i), "\n");
    CHECK_FALSE(with(altered).ok);
    if (i > 0) {
      altered = lines;
      std::swap(altered[i - 1], altered[i]);
      CHECK_FALSE(with(altered).ok);
    }
  }
  for (const auto& [file, content] : log.files) {
    if (file == "public_key.hex") continue;
    fs::remove(log.path(file));
    CHECK_MESSAGE(!verify(log).ok, (file + " removed"));
    log.restore(file);
  }
  put_bytes(log.path("audit-29991231-001.jsonl"), log.files.at(log.audit_names[0]));
  CHECK_FALSE(verify(log).ok);
}

TEST_CASE("inputs cut, removed or exchanged are found and named by the step's line") {
  const Log log;
  std::string inputs;
  for (const auto& [name, bytes] : log.files) {
    if (name.ends_with(".zst") && inputs.empty()) inputs = name;
  }
  const std::string& bytes = log.files.at(inputs);
  put_bytes(log.path(inputs), bytes.substr(0, bytes.size() - 1));
  CHECK(verify(log).reason.find("was cut off") != std::string::npos);
  put_bytes(log.path("inputs-19700101-001.zst"), bytes);
  log.restore(inputs);
  CHECK(verify(log).reason == "no line of the log names it");
}

TEST_CASE("a log forged as a whole is found by a checkpoint from elsewhere, or by the known key") {
  const Log log;
  Log forged({.until = 12, .file_bytes_max = 6000});
  CHECK(verify(forged).ok);
  const auto real = read_checkpoints(log.directory)->checkpoints.back();
  const Checkpoint from_topic{
      .seq = real.seq, .hash = real.hash, .ts_ms = real.ts_ms, .sig = real.sig};
  CHECK(verify(log, {.checkpoint = from_topic}).ok);
  CHECK(verify(forged, {.checkpoint = from_topic}).reason.find("the tail was cut off") !=
        std::string::npos);
  Checkpoint early = from_topic;
  early.seq -= 1;
  CHECK(verify(log, {.checkpoint = early}).reason ==
        "not the line that the given checkpoint names");
  CHECK(verify(log, {.public_key_hex = test_key().public_key_hex}).ok);
  CHECK_FALSE(verify(log, {.public_key_hex = std::string(64, 'a')}).ok);
}

TEST_CASE("bytes after the last recorded input of a file are found, in the last file and before") {
  const Log log;
  std::vector<std::string> inputs;
  for (const auto& [name, bytes] : log.files) {
    if (name.ends_with(".zst")) inputs.push_back(name);
  }
  const std::string frame = bytes_of(log.path(inputs[0]));  // of ours, but named by no line
  for (const std::string& more : {std::string("x"), frame}) {
    put_bytes(log.path(inputs.back()), log.files.at(inputs.back()) + more);
    const VerifyReport report = verify(log);
    CHECK_FALSE(report.ok);
    CHECK(report.bad_file == inputs.back());
    CHECK(report.reason.find("no line of the log names the " + std::to_string(more.size())) !=
          std::string::npos);
    log.restore(inputs.back());
  }
  const std::string later = "inputs-29991231-001.zst";
  put_bytes(log.path(later), frame);
  CHECK(verify(log).bad_file == later);
  {  // the process that writes the folder is ahead of its last line
    const auto owner = AuditFiles::open(log.directory);
    REQUIRE(owner);
    CHECK(verify(log).ok);
  }
  CHECK_FALSE(verify(log).ok);
  fs::remove(log.path(later));
  CHECK(verify(log).ok);
}

TEST_CASE("bytes between two inputs files are found") {
  const Folder folder;
  const auto files = AuditFiles::open(folder.path(), {.file_bytes_max = 1});
  REQUIRE(files);
  REQUIRE((*files)->recover(std::nullopt));
  Checkpoint at{.hash = std::string(kNoHash)};
  std::string first;
  for (uint64_t step = 1; step <= 3; ++step) {
    StepRecord record{.step = step, .place = (*files)->place("block", 1)};
    if (step == 1) first = record.place.inputs_file;
    const StepHead head{.step = step,
                        .inputs = record.place.inputs_file,
                        .offset = record.place.offset,
                        .length = record.place.packed.size(),
                        .sha256 = record.place.sha256};
    const AuditRecord line = step_records(head, {.ts_ms = 1}, std::nullopt).front();
    record.audit_lines.push_back(chain_line(line, step, at.hash));
    at = {.seq = step, .hash = std::string(line_hash(record.audit_lines.back())), .ts_ms = 1};
    record.checkpoint = at;
    REQUIRE((*files)->append(record));
  }
  CHECK(audit_verify(folder.path())->ok);
  put_bytes(folder / first, bytes_of(folder / first) + "x");
  CHECK(audit_verify(folder.path())->bad_file == first);
}

TEST_CASE("a log removed as a whole is found by what is left, or by a checkpoint from elsewhere") {
  const Log log;
  const auto kept = read_checkpoints(log.directory)->checkpoints.back();
  for (const std::string& name : log.audit_names) fs::remove(log.path(name));
  const VerifyReport report = verify(log);
  CHECK_FALSE(report.ok);
  CHECK(report.reason.find("knows it up to seq " + std::to_string(kept.seq)) != std::string::npos);
  fs::remove(log.path(kCheckpointsFile));
  CHECK(verify(log).reason.find("the log was removed") != std::string::npos);
  const Folder empty;
  const Checkpoint given{.seq = kept.seq, .hash = kept.hash, .ts_ms = kept.ts_ms};
  const auto removed = audit_verify(empty.path(), {.checkpoint = given});
  REQUIRE(removed);
  CHECK(removed->reason.find("the given checkpoint is at seq") != std::string::npos);
}

TEST_CASE("a checkpoint from elsewhere is a message of the topic or a whole checkpoints.json") {
  const Log log;
  const auto last = read_checkpoints(log.directory)->checkpoints.back();
  const auto file = parse_checkpoint(log.files.at(kCheckpointsFile));
  REQUIRE_MESSAGE(file, file.error().message);
  CHECK(file->seq == last.seq);
  CHECK(file->hash == last.hash);
  CHECK(verify(log, {.checkpoint = *file}).ok);
  const auto message = parse_checkpoint("{\"seq\":" + std::to_string(last.seq) + ",\"hash\":\"" +
                                        last.hash + "\",\"ts_ms\":" + std::to_string(last.ts_ms) +
                                        ",\"sig\":\"" + last.sig + "\"}");
  REQUIRE(message);
  CHECK(*message == *file);
  for (const char* text : {"", "{}", "[]", "7", "{\"checkpoints\":[]}", "{\"checkpoints\":[{}]}",
                           "{\"seq\":1,\"hash\":\"short\"}"}) {
    CHECK_FALSE(parse_checkpoint(text));
  }
}

TEST_CASE("a folder without a log is an error, not an answer") {
  const Folder folder;
  const auto nothing = audit_verify(folder.path());
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code == ErrorCode::not_found);
  CHECK_FALSE(audit_verify(folder / "nowhere"));
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = text.find(to, begin + from.size());
  return text.substr(begin + from.size(), end - begin - from.size());
}

TEST_CASE("the verifier in the documentation is the script, and both agree with payops") {
  const std::string script = testing::source_path("scripts/verify_audit.py");
  const std::string page = bytes_of(testing::source_path("docs/audit-log.md"));
  CHECK(between(page, "```python\n", "```") == bytes_of(script));
  const Log log;
  const auto verdict = [&] {
    return std::system(("python3 " + script + " " + log.directory + " > /dev/null 2>&1").c_str());
  };
  CHECK(verdict() == 0);
  const std::string& name = log.audit_names.back();
  const std::string& bytes = log.files.at(name);
  for (std::size_t at = 3; at < bytes.size(); at += bytes.size() / 7) {
    std::string altered = bytes;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    put_bytes(log.path(name), altered);
    CHECK(verdict() != 0);
  }
  put_bytes(log.path(name), bytes.substr(0, bytes.rfind('\n', bytes.size() - 2) + 1));
  CHECK(verdict() != 0);
  log.restore(name);
  fs::remove(log.path(log.audit_names[0]));
  CHECK(verdict() != 0);
}

TEST_CASE("the export has a row for every line, quoted so that a spreadsheet reads it") {
  const Log log;
  std::string csv;
  REQUIRE(audit_export_csv(log.directory, [&](std::string_view text) { csv += text; }));
  CHECK(
      csv.starts_with("seq,time,ts_ms,kind,record\r\n1,2023-11-14T22:13:28.000Z,1700000008000,step,"
                      "\"{\"\"step\"\":1,\"\"inputs\"\":\"\"inputs-20231114-001.zst\"\""));
  CHECK(static_cast<uint64_t>(std::count(csv.begin(), csv.end(), '\n')) == verify(log).lines + 1);
}

}  // namespace
}  // namespace payops::memory
