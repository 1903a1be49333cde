// Bytes packed as one zstd frame.
#pragma once

#include <string>
#include <string_view>

#include "payops/core/result.h"

namespace payops {

inline constexpr std::size_t kUnpackedBytesMax = std::size_t{1} << 30;

[[nodiscard]] std::string pack_frame(std::string_view bytes);
// Errors: corrupt, when it is not exactly one whole frame of at most kUnpackedBytesMax.
[[nodiscard]] Result<std::string> unpack_frame(std::string_view frame);

}  // namespace payops
