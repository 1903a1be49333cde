// The keys of customers' personal text, one each: whoever destroys a key erases everything that was
// sealed with it, wherever it lies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace payops::support_agent {

class Vault {
 public:
  virtual ~Vault() = default;
  // Makes the user's key at first use. `context` names the place ("message|m-17").
  [[nodiscard]] virtual std::string seal(std::string_view user_id, std::string_view context,
                                         std::string_view text) = 0;
  // Nothing when the key is gone, or the text was not sealed with it for that place.
  [[nodiscard]] virtual std::optional<std::string> open(std::string_view user_id,
                                                        std::string_view context,
                                                        std::string_view sealed) = 0;
};

// Keys that follow from the user's id: for simulation and tests, where nothing is personal.
class DerivedVault final : public Vault {
 public:
  [[nodiscard]] std::string seal(std::string_view user_id, std::string_view context,
                                 std::string_view text) override;
  [[nodiscard]] std::optional<std::string> open(std::string_view user_id, std::string_view context,
                                                std::string_view sealed) override;
};

}  // namespace payops::support_agent
