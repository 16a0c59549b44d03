"""JupyterHub on one machine: system users, nbgrader, and our engine behind formgrader.

Every place can be set in the environment; the names and defaults stand below. Run as root, which
starts each person's server as that person.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("HUB_DATA", "/var/lib/jupyterhub"))
PORT = os.environ.get("HUB_PORT", "8000")
INSTRUCTORS = set(os.environ.get("HUB_INSTRUCTORS", "instructor").split(","))
STUDENTS = set(filter(None, os.environ.get("HUB_STUDENTS", "").split(",")))
PASSED_ON = ("NBGRADER_COURSE_ID", "NBGRADER_EXCHANGE", "NBGRADER_ROOT", "GRADER_COURSE")

c = get_config()  # noqa: F821 (JupyterHub defines it)

# ---------------------------------------------------------------- the hub: loopback only
# TLS and the outside world are a reverse proxy's task.
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = int(os.environ.get("HUB_INNER_PORT", "8081"))
c.JupyterHub.cookie_secret_file = str(DATA / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{DATA / 'jupyterhub.sqlite'}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ.get('HUB_PROXY_PORT', '8001')}"
c.ConfigurableHTTPProxy.pid_file = str(DATA / "proxy.pid")
c.ConfigurableHTTPProxy.command = [os.environ.get("HUB_PROXY", "configurable-http-proxy")]

# ---------------------------------------------------------------- who may come in
c.JupyterHub.authenticator_class = "pam"  # the machine's own users and passwords
c.PAMAuthenticator.open_sessions = False
c.Authenticator.allowed_users = INSTRUCTORS | STUDENTS

# ---------------------------------------------------------------- everybody's own server
c.JupyterHub.spawner_class = "simple" if os.geteuid() else "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.Spawner.default_url = "/lab"
c.Spawner.notebook_dir = "~"
c.Spawner.env_keep = ["PATH", "LANG", "JUPYTER_PATH", "JUPYTERLAB_DIR", *PASSED_ON]
STUDENT_EXTENSIONS = {
    "nbgrader.server_extensions.formgrader": False,
    "nbgrader.server_extensions.course_list": False,
}


def configure_server(spawner):
    """Give instructors formgrader and the course, students neither."""
    teaching = spawner.user.name in INSTRUCTORS
    folders = [HERE / "everyone", *([HERE / "instructor"] if teaching else [])]
    system = os.environ.get("JUPYTER_CONFIG_PATH", "")
    spawner.environment = {
        "JUPYTER_CONFIG_PATH": os.pathsep.join([*map(str, reversed(folders)), system]),
        "OMP_NUM_THREADS": "1",  # many people share few cores
    }
    if not teaching:
        spawner.args = [f"--ServerApp.jpserver_extensions={STUDENT_EXTENSIONS}"]


c.Spawner.pre_spawn_hook = configure_server
