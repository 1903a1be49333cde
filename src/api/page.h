// Which file of the console's page is served at a path. Internal to api.
#pragma once

#include <string_view>

#include "payops/api/page_files.h"

namespace payops::api {

// A file of the page; the page itself for "/" and for every address within it (no dot in the last
// part); nullptr when there is nothing. A program built without the page says so in its place.
[[nodiscard]] const PageFile* page_at(std::string_view path);

}  // namespace payops::api
