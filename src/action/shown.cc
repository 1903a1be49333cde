#include "payops/action/ledger.h"
#include "payops/core/text.h"

namespace payops::action {
namespace {

// Names come from the stream: a line break in one must not look like a line of ours.
std::string one_line(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      safe += "\\\\";
    } else if (byte < 0x20 || byte == 0x7F) {
      safe += "\\x" + to_hex({&c, 1});
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string share(double value) { return fixed(100.0 * value, 2) + " %"; }

}  // namespace

std::string shown_text(const Intervention& intervention) {
  const Option& option = intervention.option;
  std::vector<std::string> lines = {"proposal: " + intervention.action.action_id,
                                    "decision: " + one_line(intervention.action.decision_id),
                                    "action: " + one_line(option.type),
                                    "scope: " + one_line(to_string(option.scope))};
  for (const auto& [name, value] : option.params) {
    lines.push_back("with " + one_line(name) + ": " + one_line(value));
  }
  const Predicted& value = option.nrv.total;
  lines.push_back("strength: " + share(option.strength));
  lines.push_back("holdout: " + share(option.holdout));
  lines.push_back("duration: " + fixed(option.duration_s, 1) + " s");
  lines.push_back("value: " + fixed(value.mean, 0) + " minor units, 90 % from " +
                  fixed(value.low, 0) + " to " + fixed(value.high, 0));
  lines.push_back("blast radius: " + share(option.blast_radius));
  lines.push_back("risk: " + std::string(name_of(option.risk)));
  lines.push_back("cause: " + std::string(name_of(option.cause)) + " at " +
                  share(option.confidence));
  lines.push_back("reason: " + one_line(option.reason));
  for (const std::string& reason : intervention.gate_reasons) {
    lines.push_back("asked because: " + one_line(reason));
  }
  return join(lines, "\n") + "\n";
}

}  // namespace payops::action
