// The description as a page: what is called, with what, by whom, and what comes back.
#include "openapi.h"
#include "payops/core/json_fields.h"

namespace payops::api {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string text_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// "#/components/schemas/Token" -> "Token"
std::string name_in(const std::string& reference) {
  return reference.substr(reference.rfind('/') + 1);
}

// A schema in a few words; named ones are links.
std::string words_for(const Json& schema) {
  if (const std::string reference = text_at(schema, "$ref"); !reference.empty()) {
    const std::string name = escaped(name_in(reference));
    return "<a href=\"#schema-" + name + "\">" + name + "</a>";
  }
  if (schema.contains("enum")) {
    std::string words;
    for (const Json& value : schema["enum"]) {
      words += (words.empty() ? "" : " | ") + escaped(value.dump());
    }
    return words;
  }
  if (schema.contains("const")) return escaped(schema["const"].dump());
  for (const char* either : {"anyOf", "oneOf"}) {
    if (!schema.contains(either)) continue;
    std::string words;
    for (const Json& one : schema[either]) words += (words.empty() ? "" : " or ") + words_for(one);
    return words;
  }
  const std::string type = text_at(schema, "type");
  if (type == "array" && schema.contains("items")) return "list of " + words_for(schema["items"]);
  if (type == "object" && schema.contains("additionalProperties") &&
      schema["additionalProperties"].is_object()) {
    return "map of " + words_for(schema["additionalProperties"]);
  }
  return escaped(type.empty() ? "anything" : type);
}

// The members of an object, a row each; empty for what is none.
std::string members_of(const Json& schema) {
  const auto properties = schema.find("properties");
  if (properties == schema.end()) return "";
  std::string rows;
  for (const auto& [name, member] : properties->items()) {
    bool required = false;
    if (schema.contains("required")) {
      for (const Json& one : schema["required"]) required = required || one == name;
    }
    rows += "<tr><td><code>" + escaped(name) + "</code>" + (required ? "" : " (optional)") +
            "</td><td>" + words_for(member) + "</td><td>" +
            escaped(text_at(member, "description")) + "</td></tr>";
  }
  return "<table>" + rows + "</table>";
}

const Json& resolved(const Json& document, const Json& value) {
  const std::string reference = text_at(value, "$ref");
  if (reference.empty()) return value;
  return document.at(Json::json_pointer(reference.substr(1)));
}

std::string content_words(const Json& content) {
  std::string words;
  for (const auto& [type, body] : content.items()) {
    words += (words.empty() ? "" : ", ") + escaped(type) + ": " + words_for(body["schema"]);
  }
  return words;
}

std::string call_text(const Json& document, const std::string& path, const std::string& method,
                      const Json& call) {
  std::string verb = method;
  for (char& c : verb) c = static_cast<char>(c - 'a' + 'A');
  std::string text = "<section id=\"" + escaped(text_at(call, "operationId")) + "\"><h3><code>" +
                     verb + " " + escaped(path) + "</code></h3><p>" +
                     escaped(text_at(call, "summary")) +
                     ". Role: " + escaped(text_at(call, "x-role")) + ". " +
                     escaped(text_at(call, "description")) + "</p>";
  std::string rows;
  if (call.contains("parameters")) {
    for (const Json& raw : call["parameters"]) {
      const Json& parameter = resolved(document, raw);
      const bool required = parameter.contains("required") && parameter["required"] == true;
      rows += "<tr><td><code>" + escaped(text_at(parameter, "name")) + "</code>" +
              (required ? "" : " (optional)") + "</td><td>" + escaped(text_at(parameter, "in")) +
              ", " + words_for(parameter["schema"]) + "</td><td>" +
              escaped(text_at(parameter, "description")) + "</td></tr>";
    }
    text += "<h4>Parameters</h4><table>" + rows + "</table>";
  }
  if (call.contains("requestBody")) {
    for (const auto& [type, body] : call["requestBody"]["content"].items()) {
      text += "<h4>Body, " + escaped(type) + "</h4>" + members_of(body["schema"]);
    }
  }
  rows.clear();
  for (const auto& [status, raw] : call["responses"].items()) {
    const Json& answer = resolved(document, raw);
    rows += "<tr><td><code>" + escaped(status) + "</code></td><td>" +
            escaped(text_at(answer, "description")) + "</td><td>" +
            (answer.contains("content") ? content_words(answer["content"]) : "") + "</td></tr>";
  }
  return text + "<h4>Answers</h4><table>" + rows + "</table></section>";
}

std::string page_of(const Json& document) {
  const Json& info = document["info"];
  std::string contents, calls, shapes;
  for (const Json& tag : document["tags"]) {
    const std::string name = text_at(tag, "name");
    contents += "<li>" + escaped(name) + "<ul>";
    calls += "<h2>" + escaped(name) + "</h2>";
    for (const auto& [path, methods] : document["paths"].items()) {
      for (const auto& [method, call] : methods.items()) {
        if (call["tags"][0] != name) continue;
        contents += "<li><a href=\"#" + escaped(text_at(call, "operationId")) + "\">" +
                    escaped(text_at(call, "summary")) + "</a></li>";
        calls += call_text(document, path, method, call);
      }
    }
    contents += "</ul></li>";
  }
  for (const auto& [name, schema] : document["components"]["schemas"].items()) {
    const std::string members = members_of(schema);
    shapes += "<section id=\"schema-" + escaped(name) + "\"><h3>" + escaped(name) + "</h3><p>" +
              escaped(text_at(schema, "description")) + "</p>" +
              (members.empty() ? "<p>" + words_for(schema) + "</p>" : members) + "</section>";
  }
  return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\"><title>payops, its HTTP interface"
         "</title><link rel=\"stylesheet\" href=\"/docs.css\"></head><body><header><h1>" +
         escaped(text_at(info, "title")) + ", version " + escaped(text_at(info, "version")) +
         " of its HTTP interface</h1><p>" + escaped(text_at(info, "description")) +
         " For programs: <a href=\"/openapi.json\">/openapi.json</a>.</p></header>"
         "<nav aria-label=\"Contents\"><ul>" +
         contents + "<li><a href=\"#shapes\">Shapes</a></li></ul></nav><main>" + calls +
         "<h2 id=\"shapes\">Shapes</h2>" + shapes + "</main></body></html>";
}

}  // namespace

const std::string& docs_page() {
  static const std::string page = page_of(Json::parse(openapi_document()));
  return page;
}

std::string_view docs_style() {
  return R"(:root { color-scheme: light dark; --line: #8886; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
nav > ul { columns: 18rem; padding-left: 1.2rem; }
nav li { break-inside: avoid; }
section { border-top: 1px solid var(--line); }
h4 { margin-bottom: 0.2rem; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); padding: 0.25rem 0.75rem 0.25rem 0; vertical-align: top; }
td:first-child { width: 30%; }
)";
}

}  // namespace payops::api
