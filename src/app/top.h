// The console's view Now as text: what `payops top` shows. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "payops/core/json_fields.h"
#include "terminal.h"

namespace payops::app {

struct TopScreen {
  std::size_t columns = 80;
  std::size_t rows = 0;       // 0: as many as there are
  bool unicode = false;       // sparklines
  std::string unreachable{};  // why what is shown may be over, or empty
};

// `state` is STATE of docs/console-protocol.md; what is missing in it is shown as nothing. Lines
// end in \n and are no longer than the screen. Whatever stands in names, no control character comes
// out.
[[nodiscard]] std::string top_text(const Json& state, const TopScreen& screen,
                                   const Terminal& terminal);

}  // namespace payops::app
