# Parts of the run, their durations, and the tests that they ran: counted from the reports that the test runner wrote.

test_projects=(RelayProtocol.Tests wslrelay.Tests)
tests_on_linux=(dotnet test --no-build --project tests/wslrelay.Tests)
parts=()
failures=()
begin=$SECONDS

# part NAME COMMAND...: runs a function; when tests fail, the run continues with the next part, and when anything else fails, it ends.
part() {
    local start=$SECONDS
    printf '\n=== %s\n' "$1"
    "${@:2}"
    parts+=("$(printf '%5d s  %s' $((SECONDS - start)) "$1")")
}

fail() {
    printf 'FAILED: %s\n' "$1"
    failures+=("$1")
}

# run_in_background NAME COMMAND...: runs a function in parallel; collect NAME waits for its end, prints its output and adds its failures.
declare -A running
run_in_background() {
    (
        set -e
        failures=()
        start=$SECONDS
        "${@:2}"
        printf '%5d s  %s, in parallel' $((SECONDS - start)) "$1" >"$artifacts/$1.seconds"
        printf '%s\n' "${failures[@]}" >"$artifacts/$1.failures"
    ) >"$artifacts/$1.log" 2>&1 &
    running[$1]=$!
}

collect() {
    local code=0 failure
    wait "${running[$1]}" || code=$?
    printf '\n=== %s\n' "$1"
    cat "$artifacts/$1.log"
    ((code == 0)) || return "$code"
    parts+=("$(<"$artifacts/$1.seconds")")
    while read -r failure; do
        [[ -z $failure ]] || failures+=("$failure")
    done <"$artifacts/$1.failures"
}

results_of() {
    printf '%s' "$artifacts/results/$1"
}

# run_tests NAME COMMAND...: runs tests with their report in a folder of their own; no test run, or no report, is a failure.
run_tests() {
    local name=$1 code=0
    shift
    local folder
    folder=$(results_of "$name")
    mkdir -p "$folder"
    "$@" --report-xunit --results-directory "$(native_path "$folder" "$1")" || code=$?
    local passed failed skipped
    read -r passed failed skipped < <(count "$folder")
    printf -- '--- %s: %d passed, %d failed, %d skipped, exit code %d\n' "$name" "$passed" "$failed" "$skipped" "$code"
    ((passed > 0)) || fail "$name ran no test"
    ((code == 0 || failed > 0)) || fail "$name ended with $code"
}

# count FOLDER: passed, failed and skipped tests in all its reports; an error outside of a test counts as a failed one.
count() {
    { grep -rhoE --include='*.x*' '<assembly [^>]*>' "$1" || true; } | awk '
        function value(name) { return match($0, " " name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : 0 }
        { passed += value("passed"); failed += value("failed") + value("errors"); skipped += value("skipped") }
        END { print passed + 0, failed + 0, skipped + 0 }'
}

# failed_methods FOLDER: the full name of each test method that failed, once.
failed_methods() {
    { grep -rhoE --include='*.x*' '<test [^>]*result="Fail"[^>]*>' "$1" || true; } |
        sed -nE 's/.* type="([^"]*)" method="([^"]*)".*/\1.\2/p' | sort -u
}

# failed_tests FOLDER: the name of each failed test and the start of its message, from the reports.
failed_tests() {
    { grep -rhE --include='*.x*' -A 4 '<test [^>]*result="Fail"' "$1" || true; } |
        sed -nE -e 's/.*<test [^>]*name="([^"]*)".*/FAILED: \1/p' -e 's/.*<message>(<!\[CDATA\[)?([^]]{0,300}).*/        \2/p'
}

lines() {
    find "$1" -name '*.cs' -not -path '*/obj/*' -not -path '*/bin/*' -exec cat {} + | wc -l
}

# The report of the whole run, with its last line; a run that ended early has failed.
finish() {
    local code=$? passed failed skipped
    trap - EXIT
    jobs -p | xargs -r kill 2>/dev/null || true
    ((code == 0)) || fail "the run ended early, with $code"
    read -r passed failed skipped < <(count "$artifacts/results")
    failed=$((failed + ${#failures[@]}))

    # Of tests that were run twice the second result counts, which is in the folder above.
    local first_passed first_failed first_skipped
    read -r first_passed first_failed first_skipped < <(count "$artifacts/first-try")
    passed=$((passed + first_passed)) skipped=$((skipped + first_skipped))
    printf '\n=== summary\n'
    printf '%s\n' "${parts[@]}" "$(printf '%5d s  in all' $((SECONDS - begin)))"
    printf '%5d lines of product code, %d of tests\n' "$(lines src)" "$(lines tests)"
    grep -rhoE 'figure: [^&<]+' "$(results_of published)" | sed 's/^/      /' || true
    failed_tests "$artifacts/results"
    ((${#failures[@]} == 0)) || printf 'FAILED: %s\n' "${failures[@]}"
    local last="$passed passed, $failed failed"
    ((skipped == 0)) || last+=", $skipped skipped"
    printf '%s\n' "$last"
    ((failed == 0 && passed > 0)) || exit 1
    exit 0
}
