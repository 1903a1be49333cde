// Makes a payload fit to be stored where people read it.
#pragma once

#include <string>
#include <string_view>

namespace payops {

// At most `max_bytes` of `payload` as valid UTF-8 (what is not becomes U+FFFD), in which the digits
// of everything like a card number but the last four are '*'. A card number is 13 to 19 digits,
// single spaces or hyphens between them allowed, whose Luhn sum holds (ISO/IEC 7812-1); in a longer
// run of digits any part may be one. Thirteen digits that begin with 1 are a time in ms, no card.
[[nodiscard]] std::string masked_excerpt(std::string_view payload, std::size_t max_bytes);

}  // namespace payops
