#include "page.h"

#include <algorithm>

namespace payops::api {
namespace {

constexpr std::string_view kIndex = "/index.html";
constexpr PageFile kNoPage{
    .path = kIndex,
    .content_type = "text/html; charset=utf-8",
    .etag = "\"no-page\"",
    .bytes =
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>payops</title>"
        "<h1>payops</h1><p>This build has no console page in it: npm was not there when it was "
        "made. What the page would show is at <code>/api/state</code>, after a sign-in at "
        "<code>/oauth2/token</code>.</p></html>",
    .gzip = {}};

}  // namespace

const PageFile* page_at(std::string_view path) {
  const auto find = [](std::string_view wanted) -> const PageFile* {
    const auto files = page_files();
    const auto it = std::find_if(files.begin(), files.end(),
                                 [&](const PageFile& file) { return file.path == wanted; });
    if (it != files.end()) return &*it;
    return wanted == kIndex ? &kNoPage : nullptr;
  };
  if (const PageFile* file = find(path)) return file;
  const std::size_t slash = path.rfind('/');
  const bool address = slash != std::string_view::npos &&
                       path.find('.', slash) == std::string_view::npos &&
                       !path.starts_with("/api/") && !path.starts_with("/oauth2/");
  return address ? find(kIndex) : nullptr;
}

}  // namespace payops::api
