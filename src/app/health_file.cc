#include "health_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "payops/core/json_fields.h"

namespace payops::app {

Status HealthFile::write(HealthReport report, int64_t now_ms) {
  report.written_ts_ms = now_ms;
  const bool same = report.ready == last_.ready && report.why == last_.why;
  if (same && now_ms - last_.written_ts_ms < 1000) return {};
  const std::string temporary = path_ + ".new";
  errno = 0;
  std::ofstream out(temporary, std::ios::trunc);
  out << dump(to_json(report)) << "\n";
  out.close();  // only now is it known whether there was room for it
  if (!out || std::rename(temporary.c_str(), path_.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(temporary.c_str());
    return fail_retryable(ErrorCode::unavailable, path_ + " cannot be written: " + reason);
  }
  last_ = report;
  return {};
}

}  // namespace payops::app
