#include "families.h"

#include <prometheus/text_serializer.h>

#include <limits>

namespace payops::api {

using prometheus::ClientMetric;
using prometheus::MetricType;

Families& Families::family(const char* name, const char* help, MetricType type) {
  prometheus::MetricFamily& made = families_.emplace_back();
  made.name = name;
  made.help = help;
  made.type = type;
  return *this;
}

Families& Families::gauge(const char* name, const char* help) {
  return family(name, help, MetricType::Gauge);
}
Families& Families::counter(const char* name, const char* help) {
  return family(name, help, MetricType::Counter);
}

Families& Families::value(double v, const Labels& labels) {
  ClientMetric& metric = families_.back().metric.emplace_back();
  for (const auto& [name, text] : labels) {
    ClientMetric::Label label;
    label.name = name;
    label.value = text;
    metric.label.push_back(std::move(label));
  }
  (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = v;
  return *this;
}

Families& Families::histogram(const char* name, const char* help, std::span<const double> bounds,
                              std::span<const uint64_t> counts, double sum) {
  family(name, help, MetricType::Histogram);
  ClientMetric::Histogram& h = families_.back().metric.emplace_back().histogram;
  uint64_t so_far = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    so_far += counts[i];
    ClientMetric::Bucket bucket;
    bucket.cumulative_count = so_far;
    bucket.upper_bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    h.bucket.push_back(bucket);
  }
  h.sample_count = so_far;
  h.sample_sum = sum;
  return *this;
}

Families& Families::summary(const char* name, const char* help, uint64_t count, double sum) {
  family(name, help, MetricType::Summary);
  ClientMetric::Summary& s = families_.back().metric.emplace_back().summary;
  s.sample_count = count;
  s.sample_sum = sum;
  return *this;
}

std::string Families::text() const {
  std::vector<prometheus::MetricFamily> filled;
  for (const prometheus::MetricFamily& one : families_) {
    if (!one.metric.empty()) filled.push_back(one);
  }
  return prometheus::TextSerializer().Serialize(filled);
}

}  // namespace payops::api
