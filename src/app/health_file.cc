#include "health_file.h"

#include <cstdio>
#include <fstream>

#include "payops/core/json_fields.h"

namespace payops::app {

void HealthFile::write(HealthReport report, int64_t now_ms) {
  report.written_ts_ms = now_ms;
  const bool same = report.ready == last_.ready && report.why == last_.why;
  if (same && now_ms - last_.written_ts_ms < 1000) return;
  const std::string temporary = path_ + ".new";
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << dump(to_json(report)) << "\n";
    if (!out) return;
  }
  if (std::rename(temporary.c_str(), path_.c_str()) == 0) last_ = report;
}

}  // namespace payops::app
