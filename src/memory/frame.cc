#include "frame.h"

#include <zstd.h>

#include "payops/core/check.h"

namespace payops {

std::string pack_frame(std::string_view bytes) {
  constexpr int kLevel = 3;
  PAYOPS_CHECK(bytes.size() <= kUnpackedBytesMax);
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), kLevel);
  PAYOPS_CHECK(ZSTD_isError(size) == 0);
  frame.resize(size);
  return frame;
}

Result<std::string> unpack_frame(std::string_view frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      size > kUnpackedBytesMax ||
      ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) {
    return fail(ErrorCode::corrupt, "not one whole zstd frame of ours");
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  const std::size_t got = ZSTD_decompress(bytes.data(), bytes.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0 || got != bytes.size()) {
    return fail(ErrorCode::corrupt, "the zstd frame does not unpack");
  }
  return bytes;
}

}  // namespace payops
