#!/usr/bin/env bash
# Builds and tests everything that this machine can restore: the Release configuration always, then what only the Cluster
# configuration has (Orleans, Redis, BouncyCastle) when its packages are there. Prints how many tests ran, failed and were skipped, and why.
#   ./test.sh                 everything
#   ./test.sh --filter EXPR   only the tests that 'dotnet test --filter' takes, e.g. FullyQualifiedName~Nonce
set -u -o pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

filter=()
case "${1:-}" in
    '') ;;
    --filter) filter=(--filter "${2:?--filter takes an expression}") ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

results=artifacts/test-results
rm -rf "$results" && mkdir -p "$results"
solution=OcspCluster.sln
failed=0

echo "== Release: build"
dotnet build $solution -c Release -clp:NoSummary -v:minimal -tl:off || exit 1

echo "== Release: test"
dotnet test $solution -c Release --no-build --results-directory "$results/Release" --logger 'trx' -v:minimal -tl:off "${filter[@]}" || failed=1

mapfile -t cluster_tests < <(.ci/cluster-projects | grep '\.Tests\.csproj$')
cluster="there is nothing in it beyond Release yet"
if [ ${#cluster_tests[@]} -gt 0 ]; then
    echo "== Cluster: restore"
    if dotnet restore $solution -p:Configuration=Cluster -v:quiet > "$results/cluster-restore.log" 2>&1; then
        echo "== Cluster: build"
        if dotnet build $solution -c Cluster --no-restore -clp:NoSummary -v:minimal -tl:off; then
            for project in "${cluster_tests[@]}"; do
                echo "== Cluster: test $project"
                dotnet test "$project" -c Cluster --no-build --results-directory "$results/Cluster" --logger 'trx' -v:minimal -tl:off "${filter[@]}" || failed=1
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

# One <UnitTestResult> a test; the reason of a skipped one is in its <Message>.
echo
find "$results" -name '*.trx' -print0 | xargs -0 -r cat | awk '
    /<UnitTestResult / {
        match($0, /testName="[^"]*"/); name = substr($0, RSTART + 10, RLENGTH - 11)
        match($0, /outcome="[^"]*"/); outcome = substr($0, RSTART + 9, RLENGTH - 10)
        count[outcome]++
    }
    outcome != "Passed" && /<Message>/ {
        message = $0; sub(/.*<Message>/, "", message); sub(/<\/Message>.*/, "", message)
        gsub(/&lt;/, "<", message); gsub(/&gt;/, ">", message); gsub(/&quot;/, "\"", message); gsub(/&#x[AD];/, " ", message); gsub(/&amp;/, "\\&", message)
        if (outcome == "NotExecuted") skipped[message]++
        else print "failed: " name ": " message
    }
    END {
        for (message in skipped) print "skipped: " skipped[message] " because " message
        printf "%d passed, %d failed, %d skipped\n", count["Passed"], count["Failed"], count["NotExecuted"]
    }' | tee "$results/summary.txt"
grep -qE '^0 passed' "$results/summary.txt" && [ ${#filter[@]} -eq 0 ] && { echo "No test ran."; failed=1; }
echo "Cluster configuration: $cluster."
exit $failed
