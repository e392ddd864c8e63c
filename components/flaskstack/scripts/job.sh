# Waits until the containers WAIT_FOR are healthy by their own health checks, then runs the containers JOBS, each to its end.
# Any failure ends with that container's own last words and a non-zero status, so that `pulumi up` fails with the reason,
# and the next `pulumi up` tries again. A health check's 30 s interval is for later; at the start it is asked at once.
set -eu
deadline=$(($(date +%s) + TIMEOUT))

give_up() {
    echo "$2; its last lines:" >&2
    docker logs --tail 30 "$1" 2>&1 | sed 's/^/    /' >&2
    exit 1
}

for id in $WAIT_FOR; do
    check=$(docker inspect --format '{{index .Config.Healthcheck.Test 1}}' "$id")
    name=$(docker inspect --format '{{index .Config.Labels "dev.flaskstack.role"}}' "$id")
    until docker exec "$id" sh -c "$check" >/dev/null 2>&1; do
        case $(docker inspect --format '{{.State.Status}}' "$id") in
        exited | dead) give_up "$id" "$name stopped before it was healthy" ;;
        esac
        [ "$(docker inspect --format '{{.RestartCount}}' "$id")" -lt 3 ] || give_up "$id" "$name crashes at every start"
        [ "$(date +%s)" -lt "$deadline" ] || give_up "$id" "$name was not healthy within $TIMEOUT s"
        sleep 0.2
    done
done

for id in $JOBS; do
    docker start --attach "$id" || {
        status=$?
        echo "$(docker inspect --format '{{index .Config.Labels "dev.flaskstack.role"}}' "$id") failed with status $status" >&2
        exit "$status"
    }
done
