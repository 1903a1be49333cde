// The HTTP interface described: src/api/openapi.json and the shapes of
// docs/console-protocol.schema.json in one OpenAPI 3.1 document, and a page of it for people.
// Internal to api. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace payops::api {

[[nodiscard]] const std::string& openapi_document();
// HTML without scripts; its style is docs_style(), served at /docs.css.
[[nodiscard]] const std::string& docs_page();
[[nodiscard]] std::string_view docs_style();

// The two files, as they were built in.
[[nodiscard]] std::string_view openapi_source();
[[nodiscard]] std::string_view protocol_schema_source();

}  // namespace payops::api
