// What --version says and every step records.
#pragma once

namespace payops::app {
inline constexpr const char* kVersion = "payops 0.1.0";
}
