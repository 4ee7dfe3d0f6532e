{# Loads the table of the source, as somebody else would: it is no seed, and there before dbt builds. #}
{% macro land_returns(landed_at) %}
    {% do run_query('create schema if not exists landed') %}
    {% do run_query('create or replace table landed.returns as select 1 as order_id, ' ~ landed_at ~ ' as landed_at') %}
{% endmacro %}
