// A forger's tool for tests: an audit folder written anew, altered and chained as if it were true.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "payops/memory/audit_files.h"
#include "payops/memory/audit_reader.h"
#include "payops/runtime/audit_line.h"
#include "payops/runtime/step.h"

namespace payops::memory {

// Writes the log anew with each step's block and records passed through `alter`, chained and with
// hashes that fit: what someone can do who may write the folder and needs no signature.
inline void forge(const std::string& from, const std::string& to,
                  const std::function<void(uint64_t step, std::string& block,
                                           std::vector<AuditRecord>& records)>& alter) {
  auto files = AuditFiles::open(to);
  REQUIRE(files);
  REQUIRE((*files)->recover(std::nullopt));
  auto reader = AuditReader::open(from);
  REQUIRE(reader);
  Checkpoint at{.hash = std::string(kNoHash)};
  StepHead head;
  std::vector<AuditRecord> records;
  const auto write_step = [&] {
    if (head.step == 0) return;
    std::string block = *read_block(from, head);
    alter(head.step, block, records);
    StepRecord step{.step = head.step, .place = (*files)->place(block, records.front().ts_ms)};
    head.inputs = step.place.inputs_file;
    head.offset = step.place.offset;
    head.length = step.place.packed.size();
    head.sha256 = step.place.sha256;
    records.front() = step_records(head, {.ts_ms = records.front().ts_ms}, std::nullopt).front();
    for (const AuditRecord& record : records) {
      step.audit_lines.push_back(chain_line(record, ++at.seq, at.hash));
      at.hash = std::string(line_hash(step.audit_lines.back()));
      at.ts_ms = record.ts_ms;
    }
    step.checkpoint = at;
    REQUIRE((*files)->append(step));
    records.clear();
  };
  LogLine line;
  while (*reader->next(line)) {
    const auto parts = parse_line(line.text);
    REQUIRE(parts);
    if (parts->kind == "step") {
      write_step();
      head = *parse_step_head(parts->body);
    }
    records.push_back({std::string(parts->kind), parts->ts_ms, std::string(parts->body)});
  }
  write_step();
}

}  // namespace payops::memory
