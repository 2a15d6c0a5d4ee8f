//! `R...`: a rule, benchmark or tailoring file has a mistake.

super::codes! {
    NOT_YAML = "R001", "not valid YAML",
        "The file cannot be read as YAML. The message names the place where the reader gave up; \
         the mistake is there or just before it, often indentation or an unclosed quote.";
    YAML_FEATURE = "R002", "a feature of YAML that rules do not use",
        "Anchors, aliases, tags, several documents in one file and keys that are not plain text \
         are refused: a rule says what it means where it stands. Write the value out, or make it a \
         parameter.";
    DUPLICATE_KEY = "R003", "the same key twice",
        "A mapping names the same key twice, so one of the two values would be silently lost. For \
         two conditions on one column write both operators in one mapping, or use `all: [..]`.";
    LIMIT = "R004", "the file is larger than a rule file may be",
        "Rule files are bounded in bytes, depth, number of nodes and number of rules, so that a \
         hostile file cannot exhaust the machine. Split the file.";
    WRONG_SHAPE = "R005", "a value of another shape is needed",
        "A mapping stands where a list is needed, or a list where a single value is, and so on. \
         `rulesets/README.md` shows the form of every member.";
    UNKNOWN_KEY = "R006", "unknown member",
        "The mapping has a member that the language does not know. Nothing is ignored: a mistyped \
         member would change what the rule means.";
    MISSING_KEY = "R007", "a member is missing",
        "A member that the form requires is not there. `assay rules new` writes a file that has \
         every required one.";
    UNKNOWN_TABLE = "R008", "unknown table",
        "`from` names a table that does not exist. `assay facts` lists all tables.";
    UNKNOWN_COLUMN = "R009", "unknown column",
        "A condition names a column that the table does not have. `assay facts TABLE` lists the \
         columns of a table.";
    WRONG_TYPE = "R010", "the operand or operator does not fit the column's type",
        "Each operator takes columns of certain types and operands of the column's type: numbers \
         compare with lt/le/gt/ge, versions with version_lt and its like, modes are octal texts.";
    UNKNOWN_OPERATOR = "R011", "unknown operator",
        "The condition uses an operator that the language does not have. `rulesets/README.md` \
         lists them.";
    BAD_VALUE = "R012", "a value that cannot be right",
        "The value has the right shape and type but cannot mean anything: a relative path, a \
         regular expression that does not compile, a severity that Inspector does not have, a \
         duration without unit.";
    NEEDS_WHEN_EMPTY = "R013", "`each` over no row would hold",
        "A query with `expect: each` holds when there is no row at all, which would be a pass that \
         proves nothing. Say what no row means with `when_empty`: pass, fail, unknown, \
         not_applicable, or a row with the program's own default.";
    ALWAYS_SAME = "R014", "a condition that cannot vary",
        "The condition holds for every row or for none, whatever the host: for example a null test \
         of a column that always has a value, or `must` missing where it is the question. Remove it \
         or ask what was meant.";
    UNKNOWN_PARAMETER = "R015", "unknown parameter",
        "`$name` or `{name}` refers to a parameter that `params` does not declare, or a benchmark \
         sets one that the control does not have.";
    MISSING_PARAMETER = "R016", "a parameter has no value",
        "The control declares a parameter without default and the recommendation does not set it \
         in `with`.";
    UNKNOWN_CONTROL = "R017", "unknown control",
        "A recommendation names a control for which there is no file in `cis/controls/`.";
    BAD_PLACE = "R018", "the file is not in a place that rules have",
        "The directory is the package and the path is the id: security-best-practices/, \
         runtime-behavior-analysis/, common-vulnerabilities/, cis/controls/, cis/benchmarks/. Names \
         are made of letters, digits, `-`, `_` and `.`.";
    UNREADABLE = "R019", "a rules directory or file cannot be read",
        "A directory given with --rules does not exist or cannot be read, or a file in it is not \
         text. Nothing is skipped: a gate must not pass because its rules were not there.";
    DUPLICATE_ID = "R020", "two recommendations with one number",
        "A benchmark has the same recommendation number twice, so their findings could not be told \
         apart.";
    EXAMPLE_FAILED = "R021", "an example has another verdict than it says",
        "The example's facts were judged through the same plan and evaluator that judge hosts, and \
         the verdict was not the one that the example names. Either the rule or the example is \
         wrong.";
    EXAMPLE_EVIDENCE = "R022", "an example gives other evidence than it says",
        "The failing example names other locations than the evaluator found. Evidence is sorted by \
         location and line.";
    EXAMPLE_MISSING = "R023", "a passing and a failing example are needed",
        "A rule proves itself by at least one example that passes and one that fails.";
    LEAF_UNTESTED = "R024", "a condition that no example needs",
        "The condition was turned into its opposite and every example still had the same verdict, \
         so nothing shows that it is right. Add an example that differs only there, or remove it.";
    VACUOUS_PASS = "R025", "a pass without the facts it needs",
        "With a table of a passing example taken away as if the collector had not seen it, the rule \
         still passes, although other rows in the table could make it fail. Missing facts must give \
         unknown.";
    UNKNOWN_RULE = "R026", "a tailoring names a rule that there is not",
        "Every entry of a tailoring file changes one rule, named by the id that `assay rules list` \
         shows. An entry that is about no rule would change nothing without saying so.";
}
