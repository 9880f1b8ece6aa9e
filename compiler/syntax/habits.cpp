// What people write who come from other languages: one sentence each that shows the Quelea form.
// Only reached once something did not parse, so none of this costs a correct program anything.
#include <string>

#include "compiler/syntax/parser_impl.h"

namespace quelea::compiler {

namespace {

struct Habit {
  words::Word word;
  DiagCode code;
  std::string_view message;
  std::string_view hint;
};

constexpr std::string_view kBraces = "blocks stand in braces: `if c { a } else { b }`";
constexpr std::string_view kFunctions =
    "a function is `fn name(x) = expression` or `fn name(x) { … }`";
constexpr std::string_view kMatchHint = "it is `match value { 1 -> …; n when n > 1 -> …; _ -> … }`";

// Words that were read as a variable and stand before something else.
constexpr Habit kAfterName[] = {
    {words::kWordLet, DiagCode::E0201, "there is no `let`",
     "a variable is bound by `name = value`"},
    {words::kWordVar, DiagCode::E0201, "there is no `var`",
     "a variable is bound by `name = value`"},
    {words::kWordMut, DiagCode::E0201, "there is no `mut`",
     "values do not change; `name = value` binds the name anew for the rest of the block"},
    {words::kWordReturn, DiagCode::E0202, "there is no `return`",
     "the value of a block is that of its last expression"},
    {words::kWordWhile, DiagCode::E0210, "there is no `while`",
     "loop with `for x in xs { … }`, fold with `for x in xs with acc = 0 { … }`, or recurse"},
    {words::kWordLoop, DiagCode::E0210, "there is no `loop`",
     "a loop without end is a function that calls itself last"},
    {words::kWordForeach, DiagCode::E0210, "there is no `foreach`", "it is `for x in xs { … }`"},
    {words::kWordUnless, DiagCode::E0210, "there is no `unless`", "it is `if not condition { … }`"},
    {words::kWordElif, DiagCode::E0208, "there is no `elif`", "it is `else if`"},
    {words::kWordElsif, DiagCode::E0208, "there is no `elsif`", "it is `else if`"},
    {words::kWordElseif, DiagCode::E0208, "there is no `elseif`", "it is `else if`"},
    {words::kWordThen, DiagCode::E0211, "there is no `then`", kBraces},
    {words::kWordDo, DiagCode::E0211, "there is no `do … end`", kBraces},
    {words::kWordEnd, DiagCode::E0211, "there is no `do … end`", kBraces},
    {words::kWordDef, DiagCode::E0212, "there is no `def`", kFunctions},
    {words::kWordDefp, DiagCode::E0212, "there is no `defp`", kFunctions},
    {words::kWordFunc, DiagCode::E0212, "there is no `func`", kFunctions},
    {words::kWordFunction, DiagCode::E0212, "there is no `function`", kFunctions},
    {words::kWordLambda, DiagCode::E0212, "there is no `lambda`", "it is `fn(x) = expression`"},
    {words::kWordDefmodule, DiagCode::E0212, "there is no `defmodule`",
     "the first line of a module's file is `module Name`; inside a file it is `module Name { … }`"},
    {words::kWordClass, DiagCode::E0212, "there are no classes",
     "data is a struct in a module, state that changes lives in a process"},
    {words::kWordNew, DiagCode::E0212, "there is no `new`",
     "a struct is made by `%Name{field: value}`, a process by `spawn(fn() = …)`"},
    {words::kWordEnum, DiagCode::E0212, "there is no `enum`",
     "use atoms and tuples: `type Shape = (:circle, Float) | :point`"},
    {words::kWordUse, DiagCode::E0219, "there is no `use`",
     "call `Mod.f(x)`, or `import Mod (f/1)`; a behaviour is promised with `behaviour Mod`"},
    {words::kWordRequire, DiagCode::E0219, "there is no `require`",
     "call `Mod.f(x)`: modules load when they are first called"},
    {words::kWordExport, DiagCode::E0219, "there is no `export`",
     "a function is exported by `pub fn`"},
    {words::kWordPublic, DiagCode::E0219, "there is no `public`",
     "a function is exported by `pub fn`"},
    {words::kWordPrivate, DiagCode::E0219, "there is no `private`",
     "functions without `pub` are private"},
    {words::kWordCase, DiagCode::E0217, "there is no `case`", kMatchHint},
    {words::kWordSwitch, DiagCode::E0217, "there is no `switch`", kMatchHint},
    {words::kWordCond, DiagCode::E0217, "there is no `cond`",
     "conditions are chained with `if … else if …`"},
    {words::kWordRescue, DiagCode::E0217, "there is no `rescue`",
     "it is `try { … } catch { error reason -> … }`"},
    {words::kWordCatch, DiagCode::E0217, "this `catch` follows no `try`",
     "it is `try { … } catch { error reason -> … }`"},
    {words::kWordAfter, DiagCode::E0217, "this `after` follows no `receive` or `try`",
     "it is `receive { … } after 1000 { … }`"},
    {words::kWordFinally, DiagCode::E0217, "there is no `finally`",
     "it is `try { … } after { … }`"},
    {words::kWordRaise, DiagCode::E0217, "there is no `raise`",
     "it is `error(reason)` or `throw(value)`"},
    {words::kWordThrow, DiagCode::E0217, "`throw` is a function", "it is `throw(value)`"},
    {words::kWordMod, DiagCode::E0214, "there is no `mod` operator",
     "the remainder is `a rem b`; `Int.mod(a, b)` takes the sign of b"},
    {words::kWordXor, DiagCode::E0214, "there is no `xor` operator",
     "of booleans it is `a != b`, of integers `a bxor b`"},
};

bool begins_operand(TokenKind kind) {
  switch (kind) {
    case TokenKind::kName:
    case TokenKind::kModuleName:
    case TokenKind::kInt:
    case TokenKind::kChar:
    case TokenKind::kFloat:
    case TokenKind::kAtom:
    case TokenKind::kQuotedAtom:
    case TokenKind::kString:
    case TokenKind::kStringHead:
    case TokenKind::kLeftParen:
    case TokenKind::kLeftBracket:
    case TokenKind::kMapOpen:
    case TokenKind::kStructOpen:
    case TokenKind::kFn:
    case TokenKind::kTrue:
    case TokenKind::kFalse:
    case TokenKind::kNil:
      return true;
    default:
      return false;
  }
}

}  // namespace

// The word stood as an expression of its own before something that cannot follow.
bool Parser::habit_after_name(Symbol name) {
  for (const Habit& habit : kAfterName) {
    if (static_cast<Symbol>(habit.word) != name) continue;
    fail(habit.code, previous_.span, std::string(habit.message), std::string(habit.hint));
    return true;
  }
  return false;
}

// Tokens that the language does not have. True when one was there and has been reported.
bool Parser::habit_token() {
  if (panic_) return true;
  std::string text(source_.text(cur_.span).substr(0, 8));
  std::string name = "x";
  if (previous_.kind == TokenKind::kName && previous_.span.size() < 40) {
    name = source_.text(previous_.span);
  }
  switch (cur_.kind) {
    case TokenKind::kAndAnd:
      fail(DiagCode::E0203, cur_.span, "there is no `&&`", "it is `and`");
      return true;
    case TokenKind::kOrOr:
      fail(DiagCode::E0203, cur_.span, "there is no `||`", "it is `or`");
      return true;
    case TokenKind::kAssignOp:
      fail(DiagCode::E0204, cur_.span, "there is no `" + text + "`: values do not change",
           "`" + name + " = " + name + " " + text.substr(0, 1) +
               " …` binds the name anew for the rest of the block");
      return true;
    case TokenKind::kPercent:
      fail(DiagCode::E0214, cur_.span, "there is no `%` operator",
           "the remainder is `a rem b`; a map is `%{…}`, a struct `%Name{…}`");
      return true;
    case TokenKind::kColonColon:
      fail(DiagCode::E0219, cur_.span, "there is no `::`",
           "a module's function is `Mod.f`, a segment of a binary `value:size/type`, an annotated "
           "parameter `name: Type`");
      return true;
    case TokenKind::kAt:
      fail(DiagCode::E0220, cur_.span, "there is no `@`",
           "a constant is `const name = value`, documentation `## text`");
      return true;
    case TokenKind::kTilde:
      fail(DiagCode::E0220, cur_.span, "there is no `~`",
           "the complement of an integer is `bnot n`, a raw string `r\"…\"`");
      return true;
    case TokenKind::kError:
      panic_ = true;  // the lexer has reported it
      return true;
    case TokenKind::kColon:
      if (previous_.kind == TokenKind::kString) {
        fail(DiagCode::E0218, previous_.span, "a string cannot be a label",
             "a string key is written `\"key\" => value`");
        return true;
      }
      if (peek().kind == TokenKind::kAssign) {
        fail(DiagCode::E0204, cur_.span, "there is no `:=`",
             "a variable is bound by `name = value`");
        return true;
      }
      return false;
    default:
      return false;
  }
}

// `for (…)` of C and its kin: the parenthesis holds all of the loop's head. A tuple or a pattern in
// parentheses is followed by `in`. A look at the text decides, and only at so much of it as a head
// of that kind may have.
void Parser::habit_for() {
  constexpr size_t kLongestHead = 200;
  if (panic_ || !at(TokenKind::kLeftParen)) return;
  std::string_view text = source_.text().substr(cur_.span.begin, kLongestHead);
  size_t depth = 0, end = 0;
  for (; end < text.size() && text[end] != '\n'; ++end) {
    if (text[end] == '(') ++depth;
    if (text[end] == ')' && --depth == 0) break;
  }
  if (end == text.size() || text[end] == '\n') return;
  size_t next = text.find_first_not_of(' ', end + 1);
  if (next == std::string_view::npos || text[next] != '{') return;
  std::string_view head = text.substr(1, end - 1);
  Span span{cur_.span.begin, cur_.span.begin + static_cast<uint32_t>(end) + 1};
  if (head.find(';') != std::string_view::npos) {
    fail(DiagCode::E0210, span, "there is no `for` of three parts",
         "a counted loop is `for i in 1..10 { … }`, a fold `for x in xs with acc = 0 { … }`");
  } else {
    fail(DiagCode::E0210, span, "a loop's head has no parentheses", "it is `for x in xs { … }`");
  }
}

// After `e?`: does an operand follow on the line, as in `c ? a : b`?
bool Parser::is_ternary() const {
  if (panic_ || cur_.has(kOnNewLine) || !begins_operand(cur_.kind)) return false;
  if (cur_.has(kTouchesPrevious)) return false;
  if (at(TokenKind::kName)) {
    return cur_.symbol != words::kIs && cur_.symbol != words::kWith && cur_.symbol != words::kAfter;
  }
  return true;
}

void Parser::fail_ternary() {
  fail(DiagCode::E0205, previous_.span, "there is no `c ? a : b`",
       "it is `if c { a } else { b }`; `e?` hands an error on");
}

// A token that begins no operand, where one is wanted.
void Parser::unexpected_operand() {
  if (habit_token()) return;
  std::string found = shown(cur_);
  switch (cur_.kind) {
    case TokenKind::kLeftBrace: {
      TokenKind next = peek().kind;
      bool is_tuple = next == TokenKind::kAtom || next == TokenKind::kQuotedAtom;
      bool is_map =
          peek_.has(kBeforeColon) || next == TokenKind::kString || next == TokenKind::kRightBrace;
      if (is_tuple) {
        fail(DiagCode::E0206, cur_.span, "a tuple does not stand in braces",
             "it is `(:ok, value)`; a map is `%{key: value}`");
      } else if (is_map) {
        fail(DiagCode::E0206, cur_.span, "a map begins with `%{`",
             "it is `%{key: value, \"text\" => value}`");
      } else {
        fail(
            DiagCode::E0206, cur_.span, "a block stands only where the grammar asks for one",
            "a map is `%{key: value}`, a tuple `(a, b)`, grouping `(e)`; a block that is called is "
            "`fn() { … }`");
      }
      return;
    }
    case TokenKind::kBang:
      fail(DiagCode::E0213, cur_.span, "there is no prefix `!`",
           "it is `not e`; `pid ! message` sends");
      return;
    case TokenKind::kSlash:
      if (previous_.kind == TokenKind::kSlash && cur_.has(kTouchesPrevious)) {
        fail(DiagCode::E0215, {previous_.span.begin, cur_.span.end}, "there is no `//`",
             "a comment begins with `#`; the integer quotient is `a div b`");
        return;
      }
      if (peek().kind == TokenKind::kStar || peek().kind == TokenKind::kSlash) {
        fail(DiagCode::E0215, join(cur_.span, peek_.span), "comments begin with `#`",
             "each line of a comment begins with `#`");
        return;
      }
      break;
    case TokenKind::kStar:
      if (previous_.kind == TokenKind::kSlash && cur_.has(kTouchesPrevious)) {
        fail(DiagCode::E0215, {previous_.span.begin, cur_.span.end}, "there is no `/* … */`",
             "each line of a comment begins with `#`");
        return;
      }
      if (previous_.kind == TokenKind::kStar && cur_.has(kTouchesPrevious)) {
        fail(DiagCode::E0214, {previous_.span.begin, cur_.span.end}, "there is no `**`",
             "powers are `Int.pow(a, b)` and `Math.pow(x, y)`");
        return;
      }
      break;
    case TokenKind::kPlus:
      if (previous_.kind != TokenKind::kPlus) {
        fail(DiagCode::E0160, cur_.span, "expected an expression, found `+`",
             "there is no prefix `+`");
        return;
      }
      break;
    case TokenKind::kElse:
      fail(DiagCode::E0160, cur_.span, "this `else` follows no `if`",
           "an `if` is `if c { a } else { b }`; in `match` the last arm is `_ -> …`");
      return;
    case TokenKind::kRightParen:
    case TokenKind::kRightBracket:
    case TokenKind::kRightBrace:
    case TokenKind::kRightBinary: {
      bool stray = previous_.kind == TokenKind::kNewline || cur_.span.begin == 0 ||
                   previous_.kind == TokenKind::kSemicolon ||
                   previous_.kind == TokenKind::kRightBrace;
      fail(DiagCode::E0160, cur_.span,
           stray ? "this " + found + " closes nothing" : "expected an expression, found " + found);
      return;
    }
    case TokenKind::kAppend:
      fail(DiagCode::E0160, cur_.span, "expected an expression, found `++`",
           "lists are joined by `a ++ b`; counting up is `n = n + 1`");
      return;
    case TokenKind::kBar:
      fail(DiagCode::E0160, cur_.span, "expected an expression, found `|`",
           "a function is `fn(x) = expression`");
      return;
    default:
      break;
  }
  if (previous_.kind == TokenKind::kAppend) {
    fail(DiagCode::E0204, previous_.span, "there is no `++` that counts up: values do not change",
         "`n = n + 1` binds the name anew for the rest of the block; lists are joined by `a ++ b`");
    return;
  }
  std::string hint;
  if (is_keyword(cur_.kind)) hint = found + " is a keyword and cannot be a name";
  if (at(TokenKind::kNewline) || at(TokenKind::kEndOfFile) || at(TokenKind::kSemicolon)) hint = {};
  fail(DiagCode::E0160, cur_.span, "expected an expression, found " + found, hint);
}

// What may have been meant by the token that stands behind a complete expression.
std::string Parser::neighbour_hint() const {
  switch (cur_.kind) {
    case TokenKind::kLeftParen:
      return "a call's parenthesis touches the name: `f(x)`";
    case TokenKind::kLeftBracket:
      return "an index's bracket touches the value: `m[k]`";
    case TokenKind::kLeftBinary:
    case TokenKind::kRightBinary:
      return "shifts are `a bsl n` and `a bsr n`";
    case TokenKind::kCaret:
      return "exclusive or is `a bxor b`, powers are `Int.pow(a, b)`";
    case TokenKind::kAmpersand:
      return "bits are combined by `band`, `bor`, `bxor`; strings are joined by `a <> b`";
    case TokenKind::kBar:
      return "`|` stands between patterns; of integers it is `a bor b`, of booleans `a or b`";
    case TokenKind::kArrow:
      if (previous_.kind == TokenKind::kRightParen) {
        return "a function is `fn(x) = expression`; `->` belongs to arms: `fn { x -> … }`";
      }
      return "`->` belongs to the arms of `match`, `receive`, `catch` and `fn { … }`";
    case TokenKind::kFatArrow:
      return "a function is `fn(x) = expression`, a map's entry `%{key => value}`";
    case TokenKind::kColon:
      return "a block stands in braces, a map's entry in `%{key: value}`";
    case TokenKind::kString:
    case TokenKind::kStringHead:
      if (previous_.kind != TokenKind::kName || !cur_.has(kTouchesPrevious)) return {};
      return "every string takes `${expression}`; a raw one is `r\"…\"`";
    default:
      return {};
  }
}

// Something follows a complete expression or declaration without an operator between.
void Parser::side_by_side(Expr* before) {
  if (panic_ || aborted_) return;
  if (before != nullptr && before->kind == ExprKind::kName &&
      habit_after_name(as<NameExpr>(before)->name)) {
    return;
  }
  if (habit_token()) return;
  const bool is_new = previous_.kind == TokenKind::kName && previous_.symbol == words::kNew;
  if (is_new && at(TokenKind::kModuleName)) {
    habit_after_name(words::kNew);
    return;
  }
  if (at(TokenKind::kName)) {
    Span span = cur_.span;
    Symbol name = cur_.symbol;
    if (name == words::kElif || name == words::kElsif || name == words::kElseif ||
        name == words::kDo || name == words::kThen || name == words::kEnd || name == words::kMod ||
        name == words::kXor || name == words::kRescue || name == words::kFinally) {
      previous_.span = span;
      habit_after_name(name);
      return;
    }
  }
  if (at(TokenKind::kArrow) && before != nullptr && before->kind == ExprKind::kLambda) {
    fail(DiagCode::E0207, cur_.span, "a function's body does not follow an arrow",
         "write `fn(x) = expression`");
    return;
  }
  if (at(TokenKind::kRightParen) || at(TokenKind::kRightBracket) || at(TokenKind::kRightBrace)) {
    fail(DiagCode::E0160, cur_.span, "this " + shown(cur_) + " closes nothing");
    return;
  }
  std::string hint = neighbour_hint();
  if (hint.empty() && at(TokenKind::kComma)) hint = "a tuple is `(a, b)`";
  const bool names_function =
      before != nullptr && (before->kind == ExprKind::kName || before->kind == ExprKind::kField);
  if (hint.empty() && names_function && begins_operand(cur_.kind) && !at(TokenKind::kName) &&
      !cur_.has(kOnNewLine)) {
    std::string name(source_.text(before->span));
    if (name.size() < 40) hint = "a call has parentheses: `" + name + "(…)`";
  }
  if (hint.empty()) hint = "expressions are parted by a new line or `;`";
  std::string what = before == nullptr ? "the declaration" : "the expression";
  fail(DiagCode::E0161, cur_.span, "expected the end of " + what + ", found " + shown(cur_), hint);
}

}  // namespace quelea::compiler
