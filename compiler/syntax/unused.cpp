// Declarations of a module that nothing uses: private functions, imports, constants.
//
// A private function is used when an exported one, the script or a test gets to it, directly or by
// way of others; so two functions that only call each other are found too. Tests may not be
// compiled, and doc examples not even be parsed; what is named in them counts as used all the same,
// so that a module gives the same warnings either way: their text is searched for words.
#include <algorithm>

#include "compiler/syntax/resolver_impl.h"

namespace quelea::compiler {

// The words of a text that the program uses as names anywhere.
void Resolver::collect_words(std::string_view text, std::unordered_set<uint32_t>& words) const {
  auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > at) {
      Symbol word = interner_.find(text.substr(at, end - at));
      if (word != Symbol::kNone) words.insert(static_cast<uint32_t>(word));
    }
    at = end + 1;
  }
}

std::unordered_set<uint32_t> Resolver::words_of_tests(const Module& module) const {
  std::unordered_set<uint32_t> words;
  for (const TestDef* test : module.tests)
    for (const Clause* clause : test->function->clauses)
      collect_words(file_.source->text(clause->body->span), words);
  auto collect_examples = [&](const Doc* doc) {
    if (doc == nullptr) return;
    for (const DocExample& example : doc->examples) {
      collect_words(file_.source->text(example.expr), words);
      collect_words(file_.source->text(example.value), words);
    }
  };
  collect_examples(module.doc);
  for (const FunctionDef* function : module.functions) collect_examples(function->doc);
  return words;
}

void Resolver::warn_unused_functions(ModuleScope& scope) {
  std::span<FunctionDef*> functions = scope.module->functions;
  std::unordered_set<uint32_t> words = words_of_tests(*scope.module);
  std::vector<uint32_t> first_use(functions.size() + 1);  // into the uses of others, by user
  std::vector<bool> used(functions.size());
  std::vector<uint32_t> open;
  auto use = [&](uint32_t function) {
    if (used[function]) return;
    used[function] = true;
    open.push_back(function);
  };
  std::stable_sort(
      scope.uses.begin(), scope.uses.end(),
      [](const ModuleScope::Use& a, const ModuleScope::Use& b) { return a.by < b.by; });
  size_t at = 0;
  for (uint32_t i = 0; i < functions.size(); ++i) {
    first_use[i] = static_cast<uint32_t>(at);
    while (at < scope.uses.size() && scope.uses[at].by == i) ++at;
  }
  first_use[functions.size()] = static_cast<uint32_t>(at);
  for (; at < scope.uses.size(); ++at) use(scope.uses[at].function);
  for (const FunctionDef* function : functions) {
    bool quiet = function->is_pub || function->kind != FunctionKind::kFunction ||
                 interner_.text(function->name).starts_with('_') ||
                 words.contains(static_cast<uint32_t>(function->name));
    // The lower arities of a function with defaults come to nothing by themselves.
    if (quiet && function->kind != FunctionKind::kDefaults) use(function->index);
  }
  while (!open.empty()) {
    uint32_t function = open.back();
    open.pop_back();
    for (uint32_t i = first_use[function]; i < first_use[function + 1]; ++i)
      use(scope.uses[i].function);
  }
  for (const FunctionDef* function : functions) {
    if (used[function->index] || function->kind != FunctionKind::kFunction) continue;
    report(
        DiagCode::W0311, function->span,
        "the private function " + with_arity(function->name, function->arity) + " is never called",
        "`pub fn` makes it callable from other modules; `_" + text(function->name) +
            "` says that this is on purpose");
  }
}

void Resolver::warn_unused_declarations(ModuleScope& scope) {
  warn_unused_functions(scope);
  if (scope.imports.empty() && scope.constants.empty()) return;
  std::unordered_set<uint32_t> words = words_of_tests(*scope.module);
  for (const auto& [key, import] : scope.imports) {
    Symbol name = static_cast<Symbol>(key >> 32);
    if (import.used || words.contains(static_cast<uint32_t>(name))) continue;
    report(DiagCode::W0312, import.span,
           with_arity(name, static_cast<uint32_t>(key)) + " is imported from " +
               quoted(import.module) + " and never called");
  }
  for (const ConstDef* constant : scope.module->constants) {
    if (scope.read_constants.contains(constant) ||
        interner_.text(constant->name).starts_with('_') ||
        words.contains(static_cast<uint32_t>(constant->name)))
      continue;
    report(DiagCode::W0313, constant->span,
           "the constant " + quoted(constant->name) + " is never read");
  }
}

}  // namespace quelea::compiler
