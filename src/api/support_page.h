// The pages that the support server hands out: chat, desk and figures, and the API's description.
// Internal to api.
#pragma once

#include <string_view>

namespace payops::api {

[[nodiscard]] std::string_view support_page();     // /chat: HTML
[[nodiscard]] std::string_view support_script();   // /chat.js
[[nodiscard]] std::string_view support_style();    // /chat.css
[[nodiscard]] std::string_view support_openapi();  // /openapi.json

}  // namespace payops::api
