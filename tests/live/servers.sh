#!/bin/sh
# Starts and ends real servers by hand inside a network namespace, for tests/live and examples/make_demo.
# They listen on all addresses of the namespace, read no configuration of the machine's, keep all they
# write under one directory, and are ended by their process ids.
#
#   servers.sh start NAMESPACE DIRECTORY NAME...    NAME: nginx dnsmasq exim dovecot sshd
#   servers.sh stop DIRECTORY
#
# start prints the name of every server that runs then; one that is not installed or does not start is
# told on standard error and left out. DIRECTORY must be empty or new, and readable for others.
set -u
PATH=$PATH:/usr/sbin:/sbin

say() { echo "servers.sh: $*" >&2; }

certificate() {
	[ -e "$dir/cert.pem" ] && return
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
		-subj "/O=Example Trust/CN=www.example.test" \
		-addext "subjectAltName=DNS:www.example.test,DNS:mail.example.test,DNS:example.test" \
		-keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
	chmod 644 "$dir/key.pem" "$dir/cert.pem"
}

run() { ip netns exec "$ns" "$@"; }

# The web site: files whose sizes the tests know, the same bytes every time.
site() {
	www=$dir/www
	mkdir -p "$www/img"
	{
		echo '<!doctype html><html><head><title>The fishing village</title>'
		echo '<link rel=stylesheet href=/style.css><script src=/app.js></script></head><body>'
		echo '<h1>The fishing village</h1><img src=/img/boat.svg><img src=/img/net.png>'
		i=0
		while [ $i -lt 40 ]; do
			echo "<p>Line $i: a fyke is a bag net, held open by hoops, that hangs still in the stream.</p>"
			i=$((i + 1))
		done
		echo '</body></html>'
	} >"$www/index.html"
	i=0
	while [ $i -lt 60 ]; do
		echo ".hoop-$i { margin: ${i}px; color: #2a6f97; border-radius: ${i}px }"
		i=$((i + 1))
	done >"$www/style.css"
	i=0
	while [ $i -lt 80 ]; do
		echo "function hoop$i(x) { return x * $i + document.images.length; }"
		i=$((i + 1))
	done >"$www/app.js"
	echo '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="32"><path d="M4 16h56l-8 12H12z"/></svg>' \
		>"$www/img/boat.svg"
	noise 20000 1 >"$www/img/net.png"
	noise 60000 2 >"$www/chart.pdf"
	noise 1000000 3 >"$www/large.bin"
	chmod -R a+rX "$www"
}

# Incompressible bytes that are the same every time: a cipher's stream over zeros.
noise() {
	head -c "$1" /dev/zero | openssl enc -aes-128-ctr -nosalt \
		-K 000000000000000000000000000000ff -iv "0000000000000000000000000000000$2"
}

configure_nginx() {
	command -v nginx >/dev/null || return 1
	certificate
	site
	mkdir -p "$dir/nginx"
	cat >"$dir/nginx/nginx.conf" <<-END
		pid $dir/nginx.pid;
		error_log $dir/nginx/error.log;
		worker_processes 1;
		events { worker_connections 256; }
		http {
			access_log $dir/nginx/access.log;
			types { text/html html; text/css css; text/javascript js; image/svg+xml svg; image/png png; application/pdf pdf; }
			default_type application/octet-stream;
			client_body_temp_path $dir/nginx/body;
			proxy_temp_path $dir/nginx/proxy;
			fastcgi_temp_path $dir/nginx/fastcgi;
			uwsgi_temp_path $dir/nginx/uwsgi;
			scgi_temp_path $dir/nginx/scgi;
			gzip on;
			gzip_types text/css text/javascript;
			server_tokens off;
			ssl_certificate $dir/cert.pem;
			ssl_certificate_key $dir/key.pem;
			server {
				listen 80;
				listen [::]:80;
				listen 8080;
				listen 443 ssl http2;
				listen [::]:443 ssl http2;
				root $dir/www;
				location /order { return 204; }
				location /old { return 301 /index.html; }
				location /private { auth_basic "members"; auth_basic_user_file $dir/nginx/members; }
			}
		}
	END
	echo "alice:$(openssl passwd -apr1 -salt hoops oyster-demo)" >"$dir/nginx/members"
	chmod 644 "$dir/nginx/members"
	run nginx -q -c "$dir/nginx/nginx.conf" -e "$dir/nginx/error.log" 2>"$dir/nginx/start.log"
}

configure_dnsmasq() {
	command -v dnsmasq >/dev/null || return 1
	run dnsmasq --conf-file=/dev/null --pid-file="$dir/dnsmasq.pid" --no-resolv --no-hosts --no-poll \
		--user=root --log-facility="$dir/dnsmasq.log" --local=/test/ --local=/100.51.198.in-addr.arpa/ \
		--local-ttl=300 --mx-host=example.test,mail.example.test,10 \
		--host-record=www.example.test,198.51.100.20,2001:db8:20::20 \
		--host-record=mail.example.test,198.51.100.20,2001:db8:20::20 \
		--cname=shop.example.test,www.example.test \
		--txt-record=example.test,"v=spf1 mx -all" \
		--srv-host=_imaps._tcp.example.test,mail.example.test,993 \
		--txt-record=long.example.test,"$(printf '%0200d' 1)","$(printf '%0200d' 2)","$(printf '%0200d' 3)"
}

configure_exim() {
	command -v exim4 >/dev/null || return 1
	certificate
	mkdir -p "$dir/exim/spool" "$dir/exim/log" "$dir/mail"
	chown -R Debian-exim "$dir/exim" "$dir/mail"
	cat >"$dir/exim/exim.conf" <<-END
		primary_hostname = mail.example.test
		spool_directory = $dir/exim/spool
		log_file_path = $dir/exim/log/%slog
		pid_file_path = $dir/exim.pid
		daemon_smtp_ports = 25 : 587
		tls_advertise_hosts = *
		tls_certificate = $dir/cert.pem
		tls_privatekey = $dir/key.pem
		deliver_drop_privilege = true
		acl_smtp_rcpt = rcpt
		host_lookup =
		rfc1413_query_timeout = 0s
		keep_environment =
		begin acl
		rcpt:
		  accept domains = example.test
		         local_parts = alice : bob
		  deny message = no such mailbox
		begin routers
		local:
		  driver = accept
		  domains = example.test
		  local_parts = alice : bob
		  transport = maildir
		begin transports
		maildir:
		  driver = appendfile
		  maildir_format
		  directory = $dir/mail/\$local_part_data
		  create_directory
		  user = Debian-exim
	END
	run exim4 -C "$dir/exim/exim.conf" -bd -q1h >"$dir/exim/start.log" 2>&1
}

configure_dovecot() {
	command -v dovecot >/dev/null || return 1
	certificate
	mkdir -p "$dir/dovecot/run" "$dir/mail"
	owner=$(id -nu Debian-exim 2>/dev/null || echo mail)
	chown "$owner" "$dir/mail"
	cat >"$dir/dovecot/dovecot.conf" <<-END
		protocols = pop3 imap
		base_dir = $dir/dovecot/run
		state_dir = $dir/dovecot
		log_path = $dir/dovecot/log
		listen = *, ::
		ssl = yes
		ssl_cert = <$dir/cert.pem
		ssl_key = <$dir/key.pem
		disable_plaintext_auth = no
		first_valid_uid = 1
		mail_uid = $owner
		mail_gid = $owner
		mail_home = $dir/mail/%n
		mail_location = maildir:$dir/mail/%n
		passdb {
		  driver = static
		  args = password=oyster-demo
		}
		userdb {
		  driver = static
		  args = uid=$owner gid=$owner home=$dir/mail/%n
		}
		service stats {
		  chroot =
		}
	END
	run dovecot -c "$dir/dovecot/dovecot.conf" >"$dir/dovecot/start.log" 2>&1 || return 1
	ln -sf "$dir/dovecot/run/master.pid" "$dir/dovecot.pid"
}

configure_sshd() {
	sshd=$(command -v sshd) || return 1
	mkdir -p "$dir/ssh" /run/sshd
	chmod 755 "$dir/ssh"
	ssh-keygen -q -t ed25519 -N '' -C demo-host -f "$dir/ssh/host" </dev/null
	ssh-keygen -q -t ed25519 -N '' -C demo-user -f "$dir/ssh/user" </dev/null
	cp "$dir/ssh/user.pub" "$dir/ssh/authorized"
	cat >"$dir/ssh/sshd_config" <<-END
		HostKey $dir/ssh/host
		PidFile $dir/sshd.pid
		AuthorizedKeysFile $dir/ssh/authorized
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		UsePAM no
		StrictModes no
		PrintMotd no
	END
	run "$sshd" -f "$dir/ssh/sshd_config" -E "$dir/ssh/log"
}

port_of() {
	case $1 in
	nginx) echo 80 ;;
	dnsmasq) echo 53 ;;
	exim) echo 25 ;;
	dovecot) echo 143 ;;
	sshd) echo 22 ;;
	esac
}

wait_for_port() {
	tries=0
	while [ $tries -lt 50 ]; do
		run ss -Hltn "sport = :$1" | grep -q . && return 0
		sleep 0.1
		tries=$((tries + 1))
	done
	return 1
}

start() {
	ns=$1
	dir=$2
	shift 2
	mkdir -p "$dir"
	chmod 755 "$dir"
	for name in "$@"; do
		if "configure_$name" && wait_for_port "$(port_of "$name")"; then
			echo "$name"
		else
			say "$name is not installed or does not start (see $dir)"
		fi
	done
}

alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

stop() {
	dir=$1
	pids=
	for file in "$dir"/*.pid; do
		[ -e "$file" ] || continue
		read -r pid <"$file" || continue
		case $pid in *[!0-9]* | '') continue ;; esac
		kill "$pid" 2>/dev/null && pids="$pids $pid"
	done
	tries=0
	while [ $tries -lt 40 ]; do
		left=
		for pid in $pids; do alive "$pid" && left="$left $pid"; done
		[ -z "$left" ] && return 0
		sleep 0.1
		tries=$((tries + 1))
	done
	for pid in $left; do kill -KILL "$pid" 2>/dev/null; done
}

case ${1-} in
start) [ $# -ge 4 ] && shift && start "$@" ;;
stop) [ $# -eq 2 ] && stop "$2" ;;
*)
	say "usage: servers.sh start NAMESPACE DIRECTORY NAME... | stop DIRECTORY"
	exit 2
	;;
esac
