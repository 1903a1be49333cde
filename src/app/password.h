// A password from whoever sits at the terminal.
#pragma once

#include <string>

namespace payops::app {

// Asked for without echo; where stdin is no terminal, a line of it.
[[nodiscard]] std::string asked_password();

}  // namespace payops::app
