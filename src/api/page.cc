#include "page.h"

#include <map>

#include "payops/core/digest.h"

namespace payops::api {
namespace {

constexpr std::string_view kNoPage =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>payops</title>"
    "<h1>payops</h1><p>This build has no console page in it. What the page would show is at "
    "<code>/api/state</code>, after a sign-in at <code>/oauth2/token</code>.</p></html>";

std::string type_of(std::string_view path) {
  static constexpr std::pair<std::string_view, const char*> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".map", "application/json"},
      {".txt", "text/plain; charset=utf-8"}};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

std::map<std::string, PageFile, std::less<>> read_all() {
  std::map<std::string, PageFile, std::less<>> files;
  const auto add = [&](const std::string& path, std::string_view content) {
    files[path] = {content, type_of(path), "\"" + sha256_hex(content).substr(0, 32) + "\""};
  };
  for (std::size_t i = 0; i < kPageFileCount; ++i) {
    add(kPageFiles[i].path,
        {reinterpret_cast<const char*>(kPageFiles[i].bytes), kPageFiles[i].size});
  }
  if (files.count("/index.html") == 0) add("/index.html", kNoPage);
  return files;
}

}  // namespace

PageFile page_file(std::string_view path) {
  static const auto files = read_all();
  if (const auto it = files.find(path); it != files.end()) return it->second;
  const std::size_t slash = path.rfind('/');
  const bool address = slash != std::string_view::npos &&
                       path.find('.', slash) == std::string_view::npos &&
                       path.substr(0, 5) != "/api/" && path.substr(0, 8) != "/oauth2/";
  return address ? files.find("/index.html")->second : PageFile{};
}

}  // namespace payops::api
