// payops explain: a decision as a person would tell it.
#include <cstdio>
#include <memory>

#include "cli.h"
#include "explain.h"
#include "payops/core/json_fields.h"

namespace payops::app {
namespace {

struct ExplainOptions {
  std::string decision;
  std::string audit_dir = "audit_logs";
  bool json = false;
};

int explain(const ExplainOptions& options) {
  const auto found = find_decision(options.audit_dir, options.decision);
  if (!found) return report(found.error());
  if (!*found) {
    std::fprintf(stderr,
                 "payops: %s holds no decision %s; \"payops audit show %s --kind decided\" "
                 "lists what was decided\n",
                 options.audit_dir.c_str(), options.decision.c_str(), options.audit_dir.c_str());
    return kExitNo;
  }
  if (options.json) {
    std::printf("%s\n", dump(to_json(**found)).c_str());
  } else {
    std::fputs(explanation_text(**found, Terminal()).c_str(), stdout);
  }
  return kExitDone;
}

}  // namespace

void add_explain_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* sub = app.add_subcommand("explain", "A decision, told from the audit log");
  sub->add_option("DECISION", options->decision,
                  "Its id, the id of its action, or last: the last one that touched payments")
      ->required();
  sub->add_option("--audit", options->audit_dir, "Audit folder")->capture_default_str();
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->footer("Example: payops explain last --audit audit_logs");
  sub->callback([&command, options] { command = [options] { return explain(*options); }; });
}

}  // namespace payops::app
