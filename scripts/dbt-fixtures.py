"""Copies run_results.json and manifest.json of a dbt target folder into a fixture folder, without what only takes up space.

usage: dbt-fixtures.py PROJECT TARGET FIXTURE
"""

import json
import re
import sys
from pathlib import Path

# Left out of manifests, wherever they stand: the macros and doc blocks of dbt and its adapter, and all SQL.
LEFT_OUT = {'macros', 'docs', 'raw_code', 'compiled_code'}
PROJECT = '/shop'  # stands for the folder in which the project was built
ABSOLUTE_PATH = re.compile(rf'''(?:^|[\s"'=(,])(?!{PROJECT}\b)(?:/[\w.-]+/|[A-Za-z]:\\)''')


def reduced(value):
    if isinstance(value, dict):
        return {key: reduced(item) for key, item in value.items() if key not in LEFT_OUT}
    if isinstance(value, list):
        return [reduced(item) for item in value]
    return value


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def read(path, project):
    return json.loads(path.read_text(encoding='utf-8').replace(project, PROJECT))


def write(path, document):
    for text in strings(document):
        if ABSOLUTE_PATH.search(text):
            sys.exit(f'{path}: a path of this machine is left: {text}')
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + '\n', encoding='utf-8')


def main(project, target, fixture):
    run_results = read(Path(target, 'run_results.json'), project)
    manifest = reduced(read(Path(target, 'manifest.json'), project))
    if manifest['metadata'].get('user_id'):
        manifest['metadata']['user_id'] = '00000000-0000-0000-0000-000000000000'
    write(Path(fixture, 'run_results.json'), run_results)
    write(Path(fixture, 'manifest.json'), manifest)


main(*sys.argv[1:])
