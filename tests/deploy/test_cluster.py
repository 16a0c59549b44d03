"""What is handed out for clusters: no pod may do more than it must, and every option is one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.cli.check import check
from grader.cli.doctor import doctor

DEPLOY = Path(__file__).parents[2] / "deploy"
MANIFESTS = [DEPLOY / "kubernetes/cluster.yaml", DEPLOY / "kubernetes/grade.yaml"]
BATCH = DEPLOY / "slurm/grade.sbatch"


def documents() -> list[dict[str, Any]]:
    return [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text("utf-8"))]


def pods() -> list[dict[str, Any]]:
    return [one["spec"]["template"] for one in documents() if "template" in one.get("spec", {})]


def containers() -> list[dict[str, Any]]:
    specs = [pod["spec"] for pod in pods()]
    return [one for spec in specs for one in (*spec["containers"], *spec.get("initContainers", ()))]


def test_no_pod_has_a_right_that_it_does_not_need() -> None:
    assert len(pods()) == 3
    for pod in pods():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    for one in containers():
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "privileged" not in one["securityContext"]
        assert one["resources"]["limits"]["memory"]


def test_the_namespace_admits_no_other_pods() -> None:
    [namespace] = [one for one in documents() if one["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_members_of_the_cluster_reach_each_other_and_nobody_else_them() -> None:
    [policy] = [one for one in documents() if one["kind"] == "NetworkPolicy"]
    member = {"matchLabels": {"grading": "member"}}
    assert policy["spec"]["podSelector"] == member
    assert policy["spec"]["ingress"] == [{"from": [{"podSelector": member}]}]
    assert all(pod["metadata"]["labels"]["grading"] == "member" for pod in pods())


def test_a_node_is_examined_before_a_worker_is_there() -> None:
    [worker] = [pod for pod in pods() if "initContainers" in pod["spec"]]
    assert worker["spec"]["initContainers"][0]["command"] == ["grader", "doctor"]
    assert doctor.name == "doctor"


def test_threads_are_as_many_as_cores() -> None:
    [worker] = [one for one in containers() if one["name"] == "worker"]
    threads = worker["command"][worker["command"].index("--nthreads") + 1]
    assert threads == worker["resources"]["limits"]["cpu"]


def test_options_of_the_grader_are_ones_that_it_has() -> None:
    known = {name for option in check.params for name in option.opts}
    [grade] = [one for one in containers() if one["name"] == "grade"]
    script = BATCH.read_text("utf-8").partition('/grader" check')[2].partition("&")[0]
    used = {one for one in grade["command"] if one.startswith("--")}
    used |= set(re.findall(r"--[a-z-]+", script))
    assert {"--cluster", "--insecure-cluster"} <= used <= known


def test_the_batch_script_is_one_that_a_shell_reads() -> None:
    subprocess.run(["bash", "-n", str(BATCH)], check=True)
    lines = BATCH.read_text("utf-8").splitlines()
    assert lines[0] == "#!/bin/bash"
    assert "#SBATCH --signal=B:TERM@120" in lines  # time to stop as with Ctrl-C


@pytest.mark.parametrize("path", [*MANIFESTS, BATCH], ids=lambda path: path.name)
def test_what_others_run_names_no_place_of_ours(path: Path) -> None:
    assert not re.search(r"/home/|/root/|/work/", path.read_text("utf-8"))
