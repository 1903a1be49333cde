#include "openapi.h"

#include "payops/core/json_fields.h"

namespace payops::api {
namespace {

// The protocol's definitions refer to each other as "#/$defs/X"; here they lie elsewhere.
std::string moved_references(std::string text) {
  constexpr std::string_view kFrom = "#/$defs/", kTo = "#/components/schemas/";
  for (std::size_t at = 0; (at = text.find(kFrom, at)) != std::string::npos; at += kTo.size()) {
    text.replace(at, kFrom.size(), kTo);
  }
  return text;
}

std::string composed() {
  Json document = Json::parse(openapi_source());
  const Json protocol = Json::parse(moved_references(std::string(protocol_schema_source())));
  Json& schemas = document["components"]["schemas"];
  for (const auto& [name, schema] : protocol["$defs"].items()) schemas[name] = schema;
  return document.dump(1);
}

}  // namespace

const std::string& openapi_document() {
  static const std::string document = composed();
  return document;
}

}  // namespace payops::api
