#!/usr/bin/env bash
# Builds and tests everything that this machine can restore: the Release configuration always, then what only the Cluster
# configuration has (Orleans, Redis, BouncyCastle) when its packages are there. Prints how many tests ran, failed and were skipped, and why.
#   ./test.sh                 everything
#   ./test.sh --filter EXPR   only the tests that 'dotnet test --filter' takes, e.g. FullyQualifiedName~Nonce
#   ./test.sh --again         what failed runs once more when it is three tests at most; the summary names each (docs/decisions/0067)
set -u -o pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

filter=()
mayRunAgain=0
case "${1:-}" in
    '') ;;
    --again) mayRunAgain=3 ;;
    --filter) filter=(--filter "${2:?--filter takes an expression}") ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

results=artifacts/test-results
rm -rf "$results" && mkdir -p "$results"
solution=OcspCluster.sln
failed=0

echo "== Release: build"
dotnet build $solution -c Release -clp:NoSummary -v:minimal -tl:off || exit 1

run_tests() { # what to test, its configuration, where the results go, and a filter
    dotnet test "$1" -c "$2" --no-build --results-directory "$results/$3" --logger 'trx' -v:minimal -tl:off "${@:4}" 2>&1 | tee -a "$results/output.log"
}

# The tests that ended so in a directory of results, each once; a theory by its method's name.
ended() { # outcome, directory
    find "$results/$2" -name '*.trx' -print0 2> /dev/null | xargs -0 -r cat | grep '<UnitTestResult ' | grep -F "outcome=\"$1\"" | sed 's/.*testName="\([^"(]*\).*/\1/' | sort -u
}

echo "== Release: test"
run_tests $solution Release Release "${filter[@]}" || failed=1

mapfile -t cluster_tests < <(.ci/cluster-projects | grep '\.Tests\.csproj$')
cluster="there is nothing in it beyond Release yet"
if [ ${#cluster_tests[@]} -gt 0 ]; then
    echo "== Cluster: restore"
    if dotnet restore $solution -p:Configuration=Cluster -v:quiet > "$results/cluster-restore.log" 2>&1; then
        echo "== Cluster: build"
        if dotnet build $solution -c Cluster --no-restore -clp:NoSummary -v:minimal -tl:off; then
            for project in "${cluster_tests[@]}"; do
                echo "== Cluster: test $project"
                run_tests "$project" Cluster Cluster "${filter[@]}" || failed=1
            done
            cluster="built and tested"
        else
            failed=1
            cluster="does not build"
        fi
    else
        cluster="NOT built and NOT tested: this machine's package registry lacks what it needs ($(grep -oE 'Unable to find (package|a stable package) [A-Za-z.]+' "$results/cluster-restore.log" | sed 's/.* //; s/\.$//' | sort -u | paste -sd' '); see $results/cluster-restore.log)"
    fi
fi

# A second run tells what depends on the machine's mood from what is broken; it hides neither. A test process that ended before its tests did gets none.
count=$({ ended Failed Release; ended Failed Cluster; } | wc -l)
isWhole=$([ "$(grep -c '^Test run for ' "$results/output.log")" -eq "$(grep -cE '^(Passed|Failed|Skipped)! ' "$results/output.log")" ] && ! grep -qiE 'run.* aborted|catastrophic failure' "$results/output.log" && echo yes)
if [ "$count" -gt 0 ] && [ "$count" -le "$mayRunAgain" ] && [ "$isWhole" = yes ] && [ "$cluster" != "does not build" ]; then
    failed=0
    for configuration in Release Cluster; do
        names=$(ended Failed $configuration)
        [ -n "$names" ] || continue
        echo "== $configuration: again: ${names//$'\n'/, }"
        projects=("$solution")
        [ $configuration = Release ] || projects=("${cluster_tests[@]}")
        for project in "${projects[@]}"; do
            run_tests "$project" $configuration "Again/$configuration" --filter "FullyQualifiedName=${names//$'\n'/|FullyQualifiedName=}" || failed=1
        done
        missing=$(comm -23 <(echo "$names") <(ended Passed "Again/$configuration"))
        [ -z "$missing" ] || failed=1
    done
fi
{ ended Passed Again; ended Failed Again | sed 's/^/!/'; } > "$results/again.txt"

# One <UnitTestResult> a test; the reason of a skipped one is in its <Message>.
echo
find "$results/Release" "$results/Cluster" -name '*.trx' -print0 2> /dev/null | xargs -0 -r cat | awk -v again="$results/again.txt" '
    BEGIN { while ((getline line < again) > 0) second[line] = 1 }
    /<UnitTestResult / {
        match($0, /testName="[^"]*"/); name = substr($0, RSTART + 10, RLENGTH - 11)
        match($0, /outcome="[^"]*"/); outcome = substr($0, RSTART + 9, RLENGTH - 10)
        count[outcome]++
    }
    outcome != "Passed" && /<Message>/ {
        message = $0; sub(/.*<Message>/, "", message); sub(/<\/Message>.*/, "", message)
        gsub(/&lt;/, "<", message); gsub(/&gt;/, ">", message); gsub(/&quot;/, "\"", message); gsub(/&#x[AD];/, " ", message); gsub(/&amp;/, "\\&", message)
        if (outcome == "NotExecuted") skipped[message]++
        else {
            method = name; sub(/\(.*/, "", method)
            isMended = (method in second) && !(("!" method) in second)
            twice += isMended
            print (isMended ? "failed, and passed when run again: " : "failed: ") name ": " message
        }
    }
    END {
        for (message in skipped) print "skipped: " skipped[message] " because " message
        printf "%d passed, %d failed, %d skipped%s\n", count["Passed"], count["Failed"], count["NotExecuted"], twice ? "; of the failed ones " twice " passed when run again" : ""
    }' | tee "$results/summary.txt"
grep -qE '^0 passed' "$results/summary.txt" && [ ${#filter[@]} -eq 0 ] && { echo "No test ran."; failed=1; }
echo "Cluster configuration: $cluster."
exit $failed
