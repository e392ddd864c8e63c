# Runs beside nginx (in its process namespace): puts the configuration of a release in place once the new servers can serve.
# nginx answers all the time: it is reloaded, never restarted, and requests under way end where they began.
set -eu
live=/etc/nginx/flaskstack
id=$(hostname)
began=$(date +%s)

late() { [ $(($(date +%s) - began)) -ge "$TIMEOUT" ]; }

# A file appears whole or not at all: nginx may start and read at any moment.
put() {
    cat >"$live/$1.new"
    mv "$live/$1.new" "$live/$1"
}

# Has nginx read the configuration whose release is $1? A rejected one leaves the former serving, and is taken back.
read_by_nginx() {
    echo "return 200 $1;" | put release.conf
    [ "$(cat /proc/1/comm)" != nginx ] || kill -HUP 1
    tries=0
    until [ "$(curl -fsS --max-time 2 "http://$EDGE/release" 2>/dev/null)" = "$1" ]; do
        tries=$((tries + 1))
        if [ "$tries" -ge 100 ]; then
            echo "nginx did not take the new configuration; see its log (make logs). The former one stays." >&2
            for file in nginx.conf servers.conf release.conf; do
                [ ! -s "$live/$file.former" ] || mv "$live/$file.former" "$live/$file"
            done
            exit 1
        fi
        sleep 0.1
    done
}

# Does the application answer at $1? By its path: 200 to 399. By connection: whatever it says; 502 and 504 are nginx's own words.
answers() {
    if [ "$READINESS" != tcp ]; then
        curl -fsS --max-time 4 --output /dev/null --header "Host: $PROBE_HOST" "http://$1$READINESS" 2>/tmp/reason
        return
    fi
    code=$(curl -sS --head --max-time 4 --output /dev/null --write-out '%{http_code}' --header "Host: $PROBE_HOST" "http://$1/" 2>/tmp/reason)
    case $code in
    000) return 1 ;;
    502 | 504) echo "$1 answers $code" >/tmp/reason && return 1 ;;
    esac
}

for server in $SERVERS; do
    until answers "$server"; do
        if late; then
            echo "$server is not ready to serve within $TIMEOUT s: $(cat /tmp/reason)" >&2
            [ "$READINESS" = tcp ] || curl -sS --max-time 4 --header "Host: $PROBE_HOST" "http://$server$READINESS" >&2 || true
            exit 1
        fi
        sleep 0.2
    done
done

joining=
# Its last file: with it, all three are there, even if a first release was cut short.
if [ -s "$live/nginx.conf" ]; then
    for file in nginx.conf servers.conf release.conf; do cp "$live/$file" "$live/$file.former"; done
    # nginx resolves a new name only after a reload, and keeps what it knew: so the new servers join the former ones first,
    # and the former ones leave once the new ones are known.
    joining=yes
    put nginx.conf </release/nginx.conf
    sort -u "$live/servers.conf" /release/servers.conf | put servers.conf
    read_by_nginx "$id-joining"
    sleep 1
fi
put servers.conf </release/servers.conf
echo "return 200 $id;" | put release.conf
# Last: a starting nginx waits for this file, and reads the others at once.
put nginx.conf </release/nginx.conf
read_by_nginx "$id"
until answers "$SITE"; do
    if late; then
        echo "nginx does not reach the new servers: $(cat /tmp/reason)" >&2
        exit 1
    fi
    sleep 0.1
done
rm -f "$live"/*.former
# Connections that a client still holds to nginx's former workers go to the former servers; let them run out.
[ -z "$joining" ] || sleep $((DRAIN + 1))
