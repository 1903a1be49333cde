// The console's page, as it was built from dashboards/console and put into the program: what the
// HTTP server hands out under "/". Empty when the program was built without npm.
#pragma once

#include <span>
#include <string_view>

namespace payops::api {

struct PageFile {
  std::string_view path;          // "/index.html", "/console-<hash>.js"; hashed ones never change
  std::string_view content_type;  // with the charset
  std::string_view etag;          // quoted, of the bytes
  std::string_view bytes;
  std::string_view gzip;  // the same, compressed; empty when that is no smaller
};

// In order of path. The views live as long as the program; any thread may call it.
[[nodiscard]] std::span<const PageFile> page_files();

}  // namespace payops::api
