"""Reads names of YAML files, one a line; prints "file<TAB>finding" for what the schemas of Kubernetes have against the objects in them."""

import sys

import kubernetes_validate
import yaml

version = kubernetes_validate.latest_version()
for path in sys.stdin.read().split("\n"):
    if not path:
        continue
    try:
        with open(path) as file:
            objects = [one for one in yaml.safe_load_all(file) if one is not None]
    except yaml.YAMLError as error:
        print(f"{path}\t{error}".replace("\n", " "))
        continue
    for one in objects:
        # Kinds that a cluster is taught are not among them.
        if "." in one["apiVersion"].split("/")[0]:
            continue
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except Exception as error:
            print(f"{path}\t{one['kind']}: {error}".replace("\n", " "))
