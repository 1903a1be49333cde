#include "payops/payments_agent/step_input.h"

namespace payops::payments_agent {

std::string encode_block(const InputHead& head, const std::vector<ClosedBucket>& buckets) {
  std::string block;
  Encoder out(block);
  out.put(head);
  encode_buckets(buckets, out);
  return block;
}

Result<StepInput> decode_block(std::string_view block) {
  StepInput input;
  Decoder in(block);
  in.get(input.head);
  auto buckets = decode_buckets(in);
  if (!buckets || !in.at_end()) return fail(ErrorCode::corrupt, "input block does not decode");
  input.buckets = std::move(*buckets);
  return input;
}

}  // namespace payops::payments_agent
