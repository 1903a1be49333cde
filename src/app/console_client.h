// The console's HTTP interface from the other side: signs in and reads the state.
#pragma once

#include <cstdint>
#include <string>

#include "payops/core/json_fields.h"
#include "payops/core/result.h"

namespace payops::app {

class ConsoleClient {
 public:
  // `address`: "http://localhost:8080". Nothing is asked yet. Errors: usage.
  [[nodiscard]] static Result<ConsoleClient> at(std::string address);

  // Either a token that somebody has, or a name and a password for one. Errors: refused, for a
  // sign-in that is; unavailable, retryable.
  void use_token(std::string token) { token_ = std::move(token); }
  [[nodiscard]] Status sign_in(const std::string& user, const std::string& password);
  // The snapshot of docs/console-protocol.md. Errors: refused when a sign-in is needed, or is over;
  // unavailable, retryable; corrupt.
  [[nodiscard]] Result<Json> snapshot() const;

 private:
  explicit ConsoleClient(std::string address) : address_(std::move(address)) {}
  std::string address_;
  std::string token_;
};

}  // namespace payops::app
