// The console's state at any moment of the past: an agent of its own is led through the recorded
// inputs, held at every step against the recorded digest, and shown as the live one was. It sees
// nothing that lay ahead then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "payops/api/knowledge.h"
#include "payops/core/result.h"
#include "payops/payments_agent/agent.h"

namespace payops::api {

class Projection;

struct RewindOptions {
  Deployment deployment;
  std::size_t cells_max = 4000;
  double keep_s = 3600.0;           // as the live feed's
  std::size_t keyframe_every = 64;  // steps between two states kept to begin from again
  std::size_t keyframes_max = 128;  // more are thinned out: every second one goes
};

// One thread.
class Rewind {
 public:
  struct Step {
    std::string block;   // the recorded input
    std::string digest;  // of the state that it led to
  };
  // The i-th recorded step, from 0.
  using Read = std::function<Result<Step>(std::size_t i)>;

  explicit Rewind(RewindOptions options);
  ~Rewind();

  // Goes to where `steps` steps are done, over the nearest state kept before. False when
  // `time_is_up` said so on the way; then at() tells how far it came. Errors: of `read`; corrupt
  // when a step leads elsewhere than recorded, naming it: nothing from there on can be shown.
  [[nodiscard]] Result<bool> go(std::size_t steps, const Read& read,
                                const std::function<bool()>& time_is_up);
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] const Knowledge& known() const;

 private:
  struct Keyframe;
  [[nodiscard]] Status begin_at(std::size_t steps);
  [[nodiscard]] Status take(const Step& step);
  void keep();

  RewindOptions options_;
  payments_agent::PaymentsAgent agent_;
  std::unique_ptr<Projection> projection_;
  std::size_t at_ = 0;
  struct Broken {
    std::size_t steps = 0;  // that agree
    Error error;
  };
  std::optional<Broken> broken_;
  std::map<std::size_t, std::unique_ptr<Keyframe>> kept_;  // by steps done
};

}  // namespace payops::api
