// Stored bytes of every kind: damaged ones are refused, and what is accepted is written back as
// the same bytes; altered inputs of an agent are refused or applied, and never end it. The first
// byte chooses the kind.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "payops/core/check.h"
#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/model/cell.h"
#include "payops/model/decision.h"
#include "payops/payments_agent/agent.h"
#include "payops/payments_agent/step_input.h"
#include "payops/runtime/audit_line.h"
#include "payops/runtime/step.h"

namespace payops {
namespace {

// What decodes, decodes to the same after another turn; varints may have longer spellings, so the
// bytes themselves are compared from the first encoding on.
template <class T>
void check_struct(std::string_view bytes) {
  const auto value = decode<T>(bytes);
  if (!value) return;
  const std::string once = encode(*value);
  const auto again = decode<T>(once);
  PAYOPS_CHECK(again && encode(*again) == once);
}

void check_buckets(std::string_view bytes) {
  Decoder in(bytes);
  const auto buckets = decode_buckets(in);
  if (!buckets) return;
  std::string once;
  Encoder out(once);
  encode_buckets(*buckets, out);
  Decoder back(once);
  const auto again = decode_buckets(back);
  PAYOPS_CHECK(again && *again == *buckets);
}

void check_line(std::string_view bytes) {
  const auto line = parse_line(bytes);
  if (!line) return;
  const AuditRecord record{
      .kind = std::string(line->kind), .ts_ms = line->ts_ms, .body = std::string(line->body)};
  if (check_record(record)) PAYOPS_CHECK(chain_line(record, line->seq, line->prev) == bytes);
}

// An agent's inputs from its first step on. The step's number and the hash of the configuration are
// made to fit, as who alters a log would, so that what lies behind those checks is reached.
void check_inputs(std::string_view bytes) {
  const auto blocks = decode<std::vector<std::string>>(bytes);
  if (!blocks) return;
  payments_agent::PaymentsAgent agent;
  std::string config_hash;
  uint64_t step = 0;
  for (const std::string& block : *blocks) {
    auto input = payments_agent::decode_block(block);
    if (!input) return;
    input->head.step = ++step;
    if (!input->head.config.empty()) config_hash = sha256_hex(input->head.config);
    input->head.config_hash = config_hash;
    const auto output = agent.apply(encode_block(input->head, input->buckets));
    if (!output) return;
    PAYOPS_CHECK(!output->digest.empty());
  }
  payments_agent::PaymentsAgent other;
  PAYOPS_CHECK(other.restore(agent.snapshot()) && other.snapshot() == agent.snapshot());
}

}  // namespace
}  // namespace payops

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, std::size_t size) {
  using namespace payops;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0]) {
    case 'b':
      check_buckets(rest);
      break;
    case 'i':
      check_struct<Intervention>(rest);
      break;
    case 'a':
      check_struct<Assessment>(rest);
      break;
    case 'r':
      check_struct<StepRecord>(rest);
      break;
    case 's':
      check_inputs(rest);
      break;
    case 'h':
      (void)parse_step_head(rest);
      break;
    default:
      check_line({reinterpret_cast<const char*>(bytes), size});
  }
  return 0;
}
