#include "payops/payments_agent/step_input.h"

#include <numeric>
#include <set>

#include "payops/core/digest.h"

namespace payops::payments_agent {
namespace {

constexpr int64_t kYear9999Ms = 253'402'300'799'999;
constexpr int64_t kCountMax = int64_t{1} << 48;  // of anything within one step

Status wrong(const std::string& what) {
  return fail(ErrorCode::corrupt, "its input cannot be this agent's: " + what);
}

// How many ids each dimension has once the names are learnt.
struct Sizes {
  std::array<std::size_t, kDimensions> paths{};
  std::array<std::size_t, kDetails> details{};
};

Result<std::size_t> size_after(const std::vector<std::string>& added, const NameTable& table) {
  std::set<std::string_view> all(table.names().begin(), table.names().end());
  for (const std::string& name : added) {
    if (!all.insert(name).second) {
      return tl::make_unexpected(wrong("the name \"" + name + "\" is learnt twice").error());
    }
  }
  if (all.size() >= kAny) return tl::make_unexpected(wrong("too many names").error());
  return all.size();
}

Result<Sizes> sizes_after(const DictionaryDelta& names, const Dictionary& dictionary) {
  Sizes sizes{};
  for (std::size_t d = 0; d < kDimensions; ++d) {
    const auto size = size_after(names.added[d], dictionary.tables[d]);
    if (!size) return tl::make_unexpected(size.error());
    sizes.paths[d] = *size;
  }
  for (std::size_t d = 0; d < kDetails; ++d) {
    const auto size = size_after(names.details[d], dictionary.details[d]);
    if (!size) return tl::make_unexpected(size.error());
    sizes.details[d] = *size;
  }
  return sizes;
}

// What count_into() of observation can have counted.
bool countable(const Cell& cell) {
  const auto sum = [](const auto& counts) {
    return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  };
  return cell.first_attempts <= cell.attempts && cell.timeouts <= cell.attempts &&
         cell.first_approvals <= cell.approvals &&
         cell.approvals + sum(cell.failures) == cell.attempts &&
         cell.first_approvals + sum(cell.first_failures) == cell.first_attempts &&
         cell.latency.total() == cell.attempts && cell.amount_minor >= 0 &&
         cell.approved_amount_minor >= 0;
}

bool has_name(const SeriesKey& path, const Sizes& sizes) {
  return path.issuer < sizes.paths[0] && path.method < sizes.paths[1] &&
         path.gateway < sizes.paths[2];
}

Status check_details(const std::vector<DetailCell>& details, const Sizes& sizes) {
  const DetailCell* before = nullptr;
  for (const DetailCell& cell : details) {
    if (!has_name(cell.key.path, sizes) || cell.key.region >= sizes.details[0] ||
        cell.key.merchant >= sizes.details[1] || cell.key.band >= kAmountBands) {
      return wrong("a detail that has no name");
    }
    if (before != nullptr && !(before->key < cell.key)) return wrong("details are out of order");
    int64_t failed = 0;
    for (std::size_t s = 0; s < kStages; ++s) {
      if (cell.failed[s] > cell.reached[s]) return wrong("details that contradict each other");
      failed += cell.failed[s];
    }
    for (const uint32_t count : cell.by_class) failed -= count;
    if (failed != 0) return wrong("details whose classes do not add up");
    before = &cell;
  }
  return {};
}

Status check_bucket(const ClosedBucket& bucket, const Sizes& sizes) {
  if (bucket.second > kYear9999Ms / 1000) return wrong("a second after the year 9999");
  const LeafCell* before = nullptr;
  for (const LeafCell& leaf : bucket.cells) {
    const SeriesKey& path = leaf.key.path;
    if (!has_name(path, sizes)) return wrong("a count of a path that has no name");
    if (before != nullptr && !(before->key < leaf.key)) return wrong("paths are out of order");
    if (!countable(leaf.cell)) return wrong("counts of a path that contradict each other");
    before = &leaf;
  }
  for (const ArmCell& arm : bucket.arms) {
    if (arm.amount_minor < 0 || arm.converted_amount_minor < 0) return wrong("a negative amount");
  }
  return check_details(bucket.details, sizes);
}

Status check_counts(const observation::IngestCounts& counts) {
  const auto fits = [](int64_t count) { return count >= 0 && count <= kCountMax; };
  if (!fits(counts.attempts) || !fits(counts.late) || !fits(counts.duplicates)) {
    return wrong("counts of attempts out of range");
  }
  for (const auto& [reason, count] : counts.dead_letters) {
    if (!fits(count)) return wrong("a count of dead letters out of range");
  }
  return {};
}

Status check_complaints(const std::vector<Complaint>& complaints) {
  for (const Complaint& complaint : complaints) {
    if (Status sane = complaint.validate(); !sane) return wrong(sane.error().message);
  }
  return {};
}

}  // namespace

std::string encode_block(const InputHead& head, const std::vector<ClosedBucket>& buckets) {
  std::string block;
  Encoder out(block);
  out.put(head);
  encode_buckets(buckets, out);
  if (!head.complaints.empty()) out.put(head.complaints);
  return block;
}

Result<StepInput> decode_block(std::string_view block) {
  StepInput input;
  Decoder in(block);
  in.get(input.head);
  auto buckets = decode_buckets(in);
  if (buckets && !in.at_end()) in.get(input.head.complaints);
  if (!buckets || !in.at_end()) return fail(ErrorCode::corrupt, "input block does not decode");
  input.buckets = std::move(*buckets);
  return input;
}

Status check_input(const StepInput& input, const Dictionary& dictionary, uint64_t steps) {
  const InputHead& head = input.head;
  if (head.step != steps + 1) {
    return wrong("it is of step " + std::to_string(head.step) + " and not of step " +
                 std::to_string(steps + 1));
  }
  if (head.watermark_ms < 0 || head.watermark_ms > kYear9999Ms) {
    return wrong("a watermark after the year 9999");
  }
  if (head.health.clock_ms < 0 || head.health.clock_ms > kYear9999Ms) {
    return wrong("a wall clock after the year 9999");
  }
  for (const VerdictInput& verdict : head.verdicts) {
    if (verdict.received_ts_ms < 0 || verdict.received_ts_ms > kYear9999Ms) {
      return wrong("a verdict received after the year 9999");
    }
  }
  if (Status complaints = check_complaints(head.complaints); !complaints) return complaints;
  if (!head.config.empty() && sha256_hex(head.config) != head.config_hash) {
    return wrong("its configuration does not have the hash that stands beside it");
  }
  if (Status counts = check_counts(head.counts); !counts) return counts;
  const auto sizes = sizes_after(head.names, dictionary);
  if (!sizes) return tl::make_unexpected(sizes.error());
  for (const ClosedBucket& bucket : input.buckets) {
    if (Status fits = check_bucket(bucket, *sizes); !fits) return fits;
  }
  return {};
}

}  // namespace payops::payments_agent
