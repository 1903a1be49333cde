#include "payops/simulators/attempt_event.h"

#include <charconv>
#include <cstring>

namespace payops::simulators {
namespace {

constexpr std::size_t kRoom = 1024;  // for everything but the action ids
constexpr char kHex[] = "0123456789abcdef";

class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}
  template <std::size_t N>
  Writer& raw(const char (&text)[N]) {
    std::memcpy(at_, text, N - 1);
    at_ += N - 1;
    return *this;
  }
  Writer& text(std::string_view value) {
    value.copy(at_, value.size());
    at_ += value.size();
    return *this;
  }
  template <class T>
  Writer& number(T value) {
    at_ = std::to_chars(at_, at_ + 32, value).ptr;
    return *this;
  }
  Writer& hex(uint64_t value) {
    for (int i = 0; i < 16; ++i) at_[i] = kHex[(value >> (60 - 4 * i)) & 15];
    at_ += 16;
    return *this;
  }
  Writer& digits4(uint32_t value) {
    for (int i = 3; i >= 0; --i, value /= 10) at_[i] = static_cast<char>('0' + value % 10);
    at_ += 4;
    return *this;
  }
  [[nodiscard]] char* at() const { return at_; }

 private:
  char* at_;
};

}  // namespace

std::string SimulatedAttempt::payment_id() const {
  char text[20];
  return {text, Writer(text).raw("pay-").hex(payment).at()};
}

std::string SimulatedAttempt::attempt_id() const {
  char text[64];
  return {text, Writer(text).raw("att-").hex(payment).raw("-").number(attempt_no).at()};
}

std::string_view to_json(const SimulatedAttempt& a, std::string& buffer) {
  std::size_t room = kRoom + a.issuer.size() + a.method.size() + a.gateway.size();
  for (uint32_t i = 0; i < a.action_count; ++i) room += a.action_ids[i].size() + 3;
  if (buffer.size() < room) buffer.resize(room);
  Writer out(buffer.data());
  out.raw(R"({"attempt_id":"att-)").hex(a.payment).raw("-").number(a.attempt_no);
  out.raw(R"(","payment_id":"pay-)").hex(a.payment);
  out.raw(R"(","attempt_no":)").number(a.attempt_no);
  out.raw(R"(,"ts_ms":)").number(a.ts_ms);
  out.raw(R"(,"issuer":")").text(a.issuer);
  out.raw(R"(","method":")").text(a.method);
  out.raw(R"(","gateway":")").text(a.gateway);
  out.raw(R"(","merchant_id":"m_)").digits4(a.merchant);
  out.raw(R"(","user_id":")").text(a.user_id);
  out.raw(R"(","amount_minor":)").number(a.amount_minor);
  out.raw(R"(,"currency":")").text(a.currency);
  out.raw(R"(","status":")").text(name_of(a.status));
  if (a.stage != AttemptStage::authorised) out.raw(R"(","stage":")").text(name_of(a.stage));
  out.raw(R"(","decline_code":")").text(a.decline_code);
  out.raw(R"(","latency_ms":)").number(a.latency_ms);
  out.raw(R"(,"region":")").text(a.region);
  out.raw(R"(","action_ids":[)");
  for (uint32_t i = 0; i < a.action_count; ++i) {
    if (i > 0) out.raw(",");
    out.raw("\"").text(a.action_ids[i]).raw("\"");
  }
  out.raw(R"(],"arm":")").text(name_of(a.arm));
  out.raw(R"(","propensity":)").number(a.propensity).raw("}");
  return {buffer.data(), static_cast<std::size_t>(out.at() - buffer.data())};
}

}  // namespace payops::simulators
