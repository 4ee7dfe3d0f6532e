"""Copies the artifacts of a dbt target folder into a fixture folder, without what only takes up space.

usage: dbt-fixtures.py PROJECT TARGET FIXTURE
"""

import json
import re
import sys
from pathlib import Path

# Left out wherever they stand: SQL, macros and docs, and what says nothing about lineage or state. A reader that comes to
# need one of these takes it out of this list.
LEFT_OUT = set(
    """
    macros docs doc_blocks description columns column_name constraints contract primary_key raw_code compiled compiled_code
    extra_ctes extra_ctes_injected given expect overrides test_metadata language functions time_spine
    child_map nodes_with_ref_location refs fqn file_key_name patch_path build_path compiled_path root_path generated_sql_file
    checksum created_at unrendered_config access deprecation_date group group_map groups selectors maturity classifiers
    quoting lookback on_configuration_change on_schema_change latest_version_pointer static_analysis
    fail_calc warn_if error_if dimensions entities measures type_params node_relation query_params exports timing
    """.split()
)
ABSOLUTE_PATH = re.compile(r'''(?:^|[\s"'=(,])(?!/(?:shop|other)\b)(?:/[\w.-]+/|[A-Za-z]:\\)''')


def reduced(value, left_out=LEFT_OUT, config=False):
    if isinstance(value, dict):
        return {
            key: reduced(item, left_out, key == 'config')
            for key, item in value.items()
            if key not in left_out and not (config and item in (None, {}, []))
        }
    if isinstance(value, list):
        return [reduced(item, left_out) for item in value]
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
    # The folder in which a project was built is called by its name alone.
    return json.loads(path.read_text(encoding='utf-8').replace(project, '/' + Path(project).name))


def write(path, document):
    for text in strings(document):
        if ABSOLUTE_PATH.search(text):
            sys.exit(f'{path}: a path of this machine is left: {text}')
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + '\n', encoding='utf-8')


def main(project, target, fixture):
    manifest = reduced(read(Path(target, 'manifest.json'), project))
    if manifest['metadata'].get('user_id'):
        manifest['metadata']['user_id'] = '00000000-0000-0000-0000-000000000000'
    write(Path(fixture, 'manifest.json'), manifest)
    for name in ('run_results.json', 'sources.json'):
        if name == 'run_results.json' or Path(target, name).exists():
            document = reduced(read(Path(target, name), project), {'compiled_code', 'timing'})
            write(Path(fixture, name), document)


main(*sys.argv[1:])
