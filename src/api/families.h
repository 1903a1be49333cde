// A page of metric families under construction: prometheus-cpp's values, filled in order. Internal
// to api.
//
//   Families page;
//   page.gauge("payops_x_seconds", "What x is.").value(1.5, {{"issuer", "HDFC"}});
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace payops::api {

class Families {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // A new family; what is put after it belongs to it.
  Families& gauge(const char* name, const char* help);
  Families& counter(const char* name, const char* help);
  Families& value(double v, const Labels& labels = {});
  // `counts`: one more than bounds, not cumulative.
  Families& histogram(const char* name, const char* help, std::span<const double> bounds,
                      std::span<const uint64_t> counts, double sum);
  Families& summary(const char* name, const char* help, uint64_t count, double sum);
  // The text exposition format; families without a value are left out.
  [[nodiscard]] std::string text() const;

 private:
  Families& family(const char* name, const char* help, prometheus::MetricType type);
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace payops::api
