// The console's view of the past, out of the audit folder that the agent beside it writes.
#pragma once

#include <memory>
#include <string>

#include "payops/api/past.h"
#include "payops/api/rewind.h"

namespace payops::app {

// Nothing is read before the first question. Memory: an index of the log's steps, the history's
// incidents and interventions, and kept states for replay, each bounded where it is declared.
class AuditPast final : public api::Past {
 public:
  AuditPast(std::string directory, api::RewindOptions options);
  ~AuditPast() override;
  [[nodiscard]] Result<std::string> verify() override;
  [[nodiscard]] Result<std::string> record(uint64_t seq) override;
  [[nodiscard]] Result<std::string> records(uint64_t before_seq, std::size_t limit) override;
  [[nodiscard]] Result<std::string> incidents(const api::PastQuery& query) override;
  [[nodiscard]] Result<std::string> interventions(const api::PastQuery& query) override;
  [[nodiscard]] Result<std::string> screen(int64_t at_ms) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::app
