// The console's page, embedded in the program where it was built before it. Internal to api.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace payops::api {

struct EmbeddedFile {
  const char* path;  // "/index.html"
  const unsigned char* bytes;
  std::size_t size;
};
// Made by cmake/PayopsPage.cmake.
extern const EmbeddedFile kPageFiles[];
extern const std::size_t kPageFileCount;

struct PageFile {
  std::string_view content;
  std::string type;
  std::string etag;
};

// What is served at a path: a file of the page; the page itself for "/" and for every address
// within it (no dot in the last part); empty content when there is nothing.
[[nodiscard]] PageFile page_file(std::string_view path);

}  // namespace payops::api
